# Calls the shop's stock service by gRPC: one answer, a refusal of the service, a stream, 20 calls at once; or prints what went wrong.
import sys

import grpc

place, limit = sys.argv[1], float(sys.argv[2])


def told(failure):
    return f"{failure.code()} {failure.details()}"


with grpc.insecure_channel(place) as channel:
    count = channel.unary_unary("/shop.Stock/Count")
    watch = channel.unary_stream("/shop.Stock/Watch")
    try:
        print(count(b"bread", timeout=limit).decode())
    except grpc.RpcError as failure:
        print(told(failure))
        sys.exit(1)
    try:
        count(b"nothing", timeout=limit)
    except grpc.RpcError as failure:
        print(told(failure))
    print([left.decode() for left in watch(b"bread", timeout=limit)])
    print(sorted({answer.result().decode() for answer in [count.future(b"salt", timeout=limit) for _ in range(20)]}))
