/** What a thread waits for in the kernel. */
export interface Wait {
  /** The kernel's function that it sleeps in (`/proc/PID/wchan`), such as `rpc_wait_bit_killable`. */
  readonly channel: string | undefined;
  /** The system call that it is in (`/proc/PID/syscall`): its name, or its number; `page fault` where it is in none. */
  readonly systemCall: string | undefined;
  /** What that tells a person, worded to follow "waits for"; undefined where it tells nothing. */
  readonly whatFor: string | undefined;
}

/**
 * Makes words of where a thread waits.
 *
 * @param wchan the text of `/proc/PID/wchan`: `0` where it does not sleep, and where we may not know
 * @param syscall the text of `/proc/PID/syscall`; undefined where it may not be read
 * @param arch as in `process.arch`
 */
export function describeWait(wchan: string | undefined, syscall: string | undefined, arch: string): Wait {
  const channel = wchan === undefined || wchan === "" || wchan === "0" ? undefined : wchan;
  return {
    channel,
    systemCall: systemCallOf(syscall, arch),
    whatFor: channel === undefined ? undefined : whatFor(channel),
  };
}

// Functions that threads sleep in, by the beginnings of their names, in Linux 4.18 to 6.18.
const CHANNELS: readonly (readonly [RegExp, string])[] = [
  [/^_*(rpc|nfs|nfs4|xprt)_/, "an NFS server"],
  [/^_*(cifs|smb|smb2|compound_send_recv|wait_for_response)/, "an SMB server"],
  [/^_*(ceph|rbd)_/, "a Ceph cluster"],
  [/^_*(fuse|request_wait_answer)/, "the process behind a FUSE file system"],
  [/^_*(p9|v9fs)_/, "a 9P server"],
  [/^_*autofs/, "an automount"],
  [/^_*(io_schedule|folio_wait|wait_on_page|lock_page|balance_dirty)/, "a disk or a file server"],
  [/^_*(wait_on_buffer|bit_wait_io|submit_bio)/, "a disk"],
  [/^_*(blk|bio|rq_qos|wbt|jbd2|ext4|xfs|btrfs|iomap|writeback|wb|wait_sb_inodes|sync)_/, "a disk"],
  [/^_*(scsi|nvme|sg|dm|md)_/, "a disk"],
  [/^_*(mem_cgroup|try_charge|out_of_memory)/, "memory"],
  [/^(__refrigerator|do_freezer_trap|cgroup_freeze)/, "its container to be thawed"],
  [/^_*(rwsem|mutex|down|percpu_rwsem|rt_mutex)_/, "a lock in the kernel, which another thread holds"],
  [/^(kernel_clone|_do_fork|do_fork|wait_for_vfork)/, "a program that it starts"],
];

function whatFor(channel: string): string | undefined {
  return CHANNELS.find(([pattern]) => pattern.test(channel))?.[1];
}

// Number and arguments; "running"; or -1 where the thread came into the kernel by a fault.
function systemCallOf(syscall: string | undefined, arch: string): string | undefined {
  const number = /^-?\d+(?= )/.exec(syscall ?? "")?.[0];
  if (number === undefined) return undefined;
  if (number === "-1") return "page fault";
  const names = arch === "arm64" ? ARM64_CALLS : X64_CALLS;
  return names.get(number) ?? `number ${number}`;
}

// What a driver may hang in; from asm/unistd_64.h and asm-generic/unistd.h.
const X64_CALLS = callsOf(
  "read 0,write 1,open 2,close 3,stat 4,fstat 5,lstat 6,poll 7,ioctl 16,pread64 17,pwrite64 18,access 21,select 23,clone 56,vfork 58,",
  "wait4 61,flock 73,fsync 74,fdatasync 75,ftruncate 77,rename 82,mkdir 83,rmdir 84,unlink 87,readlink 89,statfs 137,fstatfs 138,",
  "sync 162,mount 165,umount2 166,getxattr 191,futex 202,getdents64 217,epoll_wait 232,openat 257,mkdirat 258,newfstatat 262,",
  "unlinkat 263,readlinkat 267,faccessat 269,ppoll 271,epoll_pwait 281,fallocate 285,syncfs 306,statx 332,open_tree 428,",
  "move_mount 429,fsopen 430,fsconfig 431,fsmount 432,clone3 435,faccessat2 439",
);
const ARM64_CALLS = callsOf(
  "getxattr 8,epoll_pwait 22,ioctl 29,flock 32,mkdirat 34,unlinkat 35,umount2 39,mount 40,statfs 43,fstatfs 44,ftruncate 46,",
  "fallocate 47,faccessat 48,openat 56,close 57,getdents64 61,read 63,write 64,pread64 67,pwrite64 68,ppoll 73,readlinkat 78,",
  "newfstatat 79,fstat 80,sync 81,fsync 82,fdatasync 83,futex 98,clone 220,wait4 260,syncfs 267,statx 291,open_tree 428,",
  "move_mount 429,fsopen 430,fsconfig 431,fsmount 432,clone3 435,faccessat2 439",
);

function callsOf(...lists: readonly string[]): ReadonlyMap<string, string> {
  const pairs = lists.join("").split(",");
  return new Map(pairs.map((pair) => pair.split(" ")).map(([name = "", number = ""]) => [number, name]));
}
