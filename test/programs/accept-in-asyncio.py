# asyncio accepts on a non-blocking listener that epoll watches.
import asyncio
import sys

from serve import listen, ready, report


async def serve(reader, writer):
    identity = (await reader.read()).decode()
    connection = writer.get_extra_info("socket")
    report(identity, writer.get_extra_info("peername"), connection)
    writer.write(f"ok {identity}".encode())
    await writer.drain()
    writer.close()


async def main():
    listener = listen(sys.argv[1:])
    server = await asyncio.start_server(serve, sock=listener)
    ready(listener)
    await server.serve_forever()


asyncio.run(main())
