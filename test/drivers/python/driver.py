"""A CSI driver on grpcio (gRPC's C core) that does as it is told: the modes are those of test/support/driver-protocol.ts.

    driver.py --socket PATH --name NAME [--mode MODE] [--vendor-version TEXT]
        [--plugin-capabilities NAME,...] [--node-capabilities NAME,...] [--controller-capabilities NAME,...]

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
# Of the CSI specification's enums, the names that are answered by default; any other is to be given as its number.
TYPES = {
    "CONTROLLER_SERVICE": 1,
    "ONLINE": 1,
    "STAGE_UNSTAGE_VOLUME": 1,
    "GET_VOLUME_STATS": 2,
    "CREATE_DELETE_VOLUME": 1,
    "PUBLISH_UNPUBLISH_VOLUME": 2,
}
MODES = {"ready", "absent", "notready", "notready-empty", "hang", "slow", "status", "trailers"}
STATUS_CODES = {code.value[0]: code for code in grpc.StatusCode}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--socket", required=True)
    parser.add_argument("--name", default="python.csi.test")
    parser.add_argument("--mode", default="ready")
    parser.add_argument("--vendor-version", default="1.0.0")
    parser.add_argument("--plugin-capabilities", default="CONTROLLER_SERVICE,ONLINE")
    parser.add_argument("--node-capabilities", default="STAGE_UNSTAGE_VOLUME,GET_VOLUME_STATS")
    parser.add_argument("--controller-capabilities", default="CREATE_DELETE_VOLUME,PUBLISH_UNPUBLISH_VOLUME")
    args = parser.parse_args()

    driver = Driver(args)
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
    def __init__(self, args):
        self.name = args.name
        self.vendor_version = args.vendor_version
        capabilities = {
            "GetPluginCapabilities": args.plugin_capabilities,
            "NodeGetCapabilities": args.node_capabilities,
            "ControllerGetCapabilities": args.controller_capabilities,
        }
        self.answers = {call: capabilities_of(names) for call, names in capabilities.items()}
        topology = bytes_field(1, text_field(1, "topology.csi.test/zone") + text_field(2, "zone-1"))
        self.answers["NodeGetInfo"] = text_field(1, "node-1") + b"\x10\x19" + bytes_field(3, topology)
        self.modes = {call: "ready" for call in ["mode", "info", *self.answers]}

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
            "/csi.v1.Identity/GetPluginCapabilities": self.answerer("GetPluginCapabilities"),
            "/csi.v1.Node/NodeGetCapabilities": self.answerer("NodeGetCapabilities"),
            "/csi.v1.Node/NodeGetInfo": self.answerer("NodeGetInfo"),
            "/csi.v1.Controller/ControllerGetCapabilities": self.answerer("ControllerGetCapabilities"),
        }
        method = methods.get(details.method)
        if method is None:
            emit(event="rpc", method=details.method)
            return None

        def handle(request, context):
            report(details, request, context)
            return method(context)

        return grpc.unary_unary_rpc_method_handler(handle)

    def answerer(self, call):
        def answer(context):
            follow(self.modes[call], context)
            return self.answers[call]

        return answer

    def probe(self, context):
        mode = self.modes["mode"]
        follow(mode, context)
        return PROBE_ANSWERS.get(mode, READY)

    def get_plugin_info(self, context):
        follow(self.modes["info"], context)
        return text_field(1, self.name) + text_field(2, self.vendor_version)


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


def capabilities_of(names):
    """A capability for each name or number: volume expansion is the second member of its oneof, all else the first."""
    answer = b""
    for name in filter(None, names.split(",")):
        number = TYPES.get(name) or int(name)
        assert 0 < number < 128, "a larger number needs a varint of two bytes"
        member = 2 if name == "ONLINE" else 1
        answer += bytes_field(1, bytes_field(member, bytes([1 << 3, number])))
    return answer


def text_field(number, text):
    return bytes_field(number, text.encode())


def bytes_field(number, data):
    assert len(data) < 128, "a longer field needs a varint of two bytes"
    return bytes([number << 3 | 2, len(data)]) + data


output = threading.Lock()


def emit(**event):
    with output:
        print(json.dumps(event), flush=True)


if __name__ == "__main__":
    main()
