# Asks for each URL 20 times at once with asyncio, and prints each different outcome; the first argument is the time-out in seconds.
import asyncio
import collections
import sys
import urllib.parse


async def fetch(url):
    place = urllib.parse.urlsplit(url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port or 80)
    writer.write(f"GET {place.path} HTTP/1.0\r\nhost: {place.hostname}\r\n\r\n".encode())
    text = (await reader.read()).decode()
    writer.close()
    await writer.wait_closed()
    return text.partition("\r\n\r\n")[2].strip()


async def outcome(url):
    try:
        return await asyncio.wait_for(fetch(url), float(sys.argv[1]))
    except (OSError, asyncio.TimeoutError) as failure:
        return f"{type(failure).__name__} {failure}"


async def main():
    for url in sys.argv[2:]:
        found = collections.Counter(await asyncio.gather(*[outcome(url) for _ in range(20)]))
        for text, count in sorted(found.items()):
            print(count, "times", text)


asyncio.run(main())
