/** How everything here is compiled: the executable, and the programs that the bench holds beside it. */
export const COMPILE_FLAGS: readonly string[] = [
  "--compile",
  "--bytecode",
  "--format=esm",
  // A piece for each command: one script for all would make the functions of every command whenever one starts.
  "--splitting",
  // No JIT: a probe's time goes into system calls, and the JIT's code took 10 MiB after 2,000 probes for 5 % of the
  // CPU.
  "--compile-jit-policy=1000000",
  // Nothing in the working directory of a pod may change what the program does.
  "--no-compile-autoload-dotenv",
  "--no-compile-autoload-bunfig",
  // A dependency that mentions these, as parts of grpc-js do, would make the builder's directory part of the
  // executable.
  '--define=__dirname="/"',
  '--define=__filename="/"',
];
