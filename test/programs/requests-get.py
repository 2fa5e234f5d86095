# Asks for each URL with requests, twice over one session, and prints the answer or what went wrong; the first argument is the time-out in seconds.
import sys

import requests

session = requests.Session()
for url in sys.argv[2:]:
    for _ in range(2):
        try:
            answer = session.get(url, timeout=float(sys.argv[1]))
            print(answer.status_code, answer.text.strip())
        except requests.RequestException as failure:
            print(type(failure).__name__, failure)
