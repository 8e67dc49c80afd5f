"""A CSI driver on grpcio (gRPC's C core) that does as it is told: the modes are those of test/support/driver-protocol.ts.

    driver.py --socket PATH --name NAME [--mode MODE]

Commands arrive on standard input, a line each; events leave on standard output as JSON lines.
The messages are small enough to be written by hand, which spares a protobuf library and generated stubs.
"""

import argparse
import json
import os
import signal
import sys
import threading
import time
from concurrent import futures

import grpc

READY = b"\x0a\x02\x08\x01"
PROBE_ANSWERS = {"absent": b"", "notready": b"\x0a\x02\x08\x00", "notready-empty": b"\x0a\x00"}
CONTROLLER_SERVICE = b"\x0a\x04\x0a\x02\x08\x01"
MODES = {"ready", "absent", "notready", "notready-empty", "hang", "slow", "status", "trailers"}
STATUS_CODES = {code.value[0]: code for code in grpc.StatusCode}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--socket", required=True)
    parser.add_argument("--name", default="python.csi.test")
    parser.add_argument("--mode", default="ready")
    args = parser.parse_args()

    driver = Driver(args.name)
    driver.command("mode " + args.mode)
    # A call that hangs keeps its thread.
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=64))
    server.add_generic_rpc_handlers([driver])
    server.add_insecure_port("unix:" + args.socket)

    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    threading.Thread(target=driver.read_commands, daemon=True).start()
    server.start()
    emit(event="listening")
    stopped.wait()
    server.stop(grace=None).wait()
    if os.path.exists(args.socket):
        os.remove(args.socket)


class Driver(grpc.GenericRpcHandler):
    def __init__(self, name):
        self.name = name
        self.modes = {"mode": "ready", "info": "ready"}

    def read_commands(self):
        """Ends the process with its parent: a test run that dies leaves no drivers behind."""
        for line in sys.stdin:
            try:
                self.command(line.rstrip("\n"))
            except ValueError as error:
                print(error, file=sys.stderr, flush=True)
                os._exit(1)
            emit(event="command", line=line.rstrip("\n"))
        os._exit(0)

    def command(self, line):
        what, _, mode = line.partition(" ")
        if what not in self.modes or mode.partition(" ")[0] not in MODES:
            raise ValueError(f"unknown command {line!r}")
        self.modes[what] = mode

    def service(self, details):
        methods = {
            "/csi.v1.Identity/Probe": self.probe,
            "/csi.v1.Identity/GetPluginInfo": self.get_plugin_info,
            "/csi.v1.Identity/GetPluginCapabilities": lambda context: CONTROLLER_SERVICE,
        }
        method = methods.get(details.method)
        if method is None:
            return None

        def handle(request, context):
            report(details, request, context)
            return method(context)

        return grpc.unary_unary_rpc_method_handler(handle)

    def probe(self, context):
        mode = self.modes["mode"]
        follow(mode, context)
        return PROBE_ANSWERS.get(mode, READY)

    def get_plugin_info(self, context):
        follow(self.modes["info"], context)
        return text_field(1, self.name) + text_field(2, "1.0.0")


def follow(mode, context):
    """Does what a mode asks of any call before it is answered."""
    kind, _, rest = mode.partition(" ")
    if kind == "hang":
        ended = threading.Event()
        if context.add_callback(ended.set):
            ended.wait()
    elif kind == "slow":
        time.sleep(int(rest) / 1000)
    elif kind == "status":
        number, _, message = rest.partition(" ")
        # grpcio knows no codes but the seventeen.
        context.abort(STATUS_CODES.get(int(number), grpc.StatusCode.UNKNOWN), message)
    elif kind == "trailers":
        context.send_initial_metadata([("x-driver", "header")])
        context.set_trailing_metadata([("x-driver", "trailer")])


def report(details, request, context):
    """Tells of a call before it is handled. The C core keeps the grpc-timeout header: the time that remains stands in."""
    event = {"event": "rpc", "method": details.method, "requestBytes": len(request)}
    remaining = context.time_remaining()
    if remaining is not None:
        event["deadlineMs"] = int(remaining * 1000)
    for key, value in details.invocation_metadata:
        if key == "user-agent":
            event["userAgent"] = value
    # No public name for it; a grpcio that renames it costs us the authority and nothing else.
    call = getattr(getattr(context, "_rpc_event", None), "call_details", None)
    if call is not None:
        event["authority"] = call.host.decode()
    emit(**event)


def text_field(number, text):
    data = text.encode()
    assert len(data) < 128, "a longer field needs a varint of two bytes"
    return bytes([number << 3 | 2, len(data)]) + data


output = threading.Lock()


def emit(**event):
    with output:
        print(json.dumps(event), flush=True)


if __name__ == "__main__":
    main()
