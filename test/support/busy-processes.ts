import { type MadeProcess, startPython } from "./made-node-process";

/** Starts processes that do nothing and have descriptors, as a busy node's have. They end when they are disposed of. */
export function startBusyProcesses(processes: number, descriptors: number): Promise<MadeProcess> {
  return startPython(BUSY, [String(processes), String(descriptors)]);
}

// The children end with their parent: PR_SET_PDEATHSIG, SIGKILL.
const BUSY = `
import ctypes, os, signal, sys
processes, descriptors = map(int, sys.argv[1:])
libc = ctypes.CDLL(None)
for _ in range(descriptors): os.open("/dev/null", os.O_RDONLY)
parent = os.getpid()
for _ in range(processes):
    if os.fork() == 0:
        libc.prctl(1, 9)
        if os.getppid() == parent: signal.pause()
        os._exit(0)
print("ready", flush=True)
sys.stdin.read()
`;
