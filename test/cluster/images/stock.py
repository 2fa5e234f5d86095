# The shop's stock service over gRPC, without generated code: Count answers once, Watch with a stream of three.
from concurrent import futures

import grpc


def count(request, context):
    if request == b"nothing":
        context.abort(grpc.StatusCode.NOT_FOUND, "There is no such thing")
    return b"7 of " + request


def watch(request, _):
    for left in (3, 2, 1):
        yield b"%d of %s" % (left, request)


handlers = {
    "Count": grpc.unary_unary_rpc_method_handler(count),
    "Watch": grpc.unary_stream_rpc_method_handler(watch),
}
server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("shop.Stock", handlers),))
server.add_insecure_port("0.0.0.0:50051")
server.start()
server.wait_for_termination()
