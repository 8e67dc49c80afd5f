import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { describeWait, parseProcessStat } from "../../src/processes/process-state";

const AFTER = "6 1 1 0 -1 4194560 100 0 0 0 5 3 0 0 20 0 1 0 123456 1000 10 18446744073709551615";

test.each([
  ["R", "running"],
  ["S", "sleeping"],
  ["D", "uninterruptible"],
  ["T", "stopped"],
  ["t", "stopped by a debugger"],
  ["Z", "zombie"],
  ["?", "unknown"],
  ["constructor", "unknown"],
])("%s stands for %s", (letter, word) => {
  expect(parseProcessStat(`7 (driver) ${letter} ${AFTER}`)).toEqual({
    state: { letter, word },
    parentPid: 6,
    startedMs: 1_234_560,
    isKernelThread: false,
  });
});

test.each(["a b", "a) S 1", ") D (", ""])("a process may be called %j", (name) => {
  expect(parseProcessStat(`7 (${name}) T ${AFTER}`)?.state.letter).toBe("T");
});

test.each(["", "7", "7 (driver)", "7 (driver) S 1 2 3"])("%j is no stat", (text) => {
  expect(parseProcessStat(text)).toBeUndefined();
});

test.each([
  ["a thread of the kernel's", "0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 2 0 0", true],
  ["a process that took its name", AFTER, false],
])("%s is told from its name", (_, after, isKernelThread) => {
  expect(parseProcessStat(`2 (kthreadd) S ${after}`)).toMatchObject({ isKernelThread });
});

test("the kernel's own is read", () => {
  expect(parseProcessStat(readFileSync("/proc/self/stat", "utf8"))).toEqual({
    state: { letter: expect.stringMatching(/^[RS]$/), word: expect.any(String) },
    parentPid: process.ppid,
    startedMs: expect.any(Number),
    isKernelThread: false,
  });
});

describe("the channel that a thread waits in", () => {
  test.each([
    ["rpc_wait_bit_killable", "an NFS server"],
    ["nfs_wait_bit_killable", "an NFS server"],
    ["nfs4_wait_clnt_recover", "an NFS server"],
    ["__rpc_wait_for_completion_task", "an NFS server"],
    ["wait_for_response", "an SMB server"],
    ["cifs_strict_readv", "an SMB server"],
    ["ceph_mdsc_wait_request", "a Ceph cluster"],
    ["request_wait_answer", "the process behind a FUSE file system"],
    ["fuse_dev_do_read", "the process behind a FUSE file system"],
    ["p9_client_rpc", "a 9P server"],
    ["autofs_wait", "an automount"],
    ["folio_wait_bit_common", "a disk or a file server"],
    ["io_schedule", "a disk or a file server"],
    ["jbd2_log_wait_commit", "a disk"],
    ["xfs_buf_lock", "a disk"],
    ["blk_mq_get_tag", "a disk"],
    ["sync_inodes_sb", "a disk"],
    ["mem_cgroup_handle_over_high", "memory"],
    ["do_freezer_trap", "its container to be thawed"],
    ["rwsem_down_write_slowpath", "a lock in the kernel, which another thread holds"],
    ["kernel_clone", "a program that it starts"],
    ["futex_wait_queue", undefined],
    ["ep_poll", undefined],
    ["nfsomething", undefined],
  ])("%s: it waits for %p", (channel, whatFor) => {
    expect(describeWait(channel)).toBe(whatFor && `waits for ${whatFor} (${channel})`);
  });

  test.each(["", "0"])("is not told by %p", (wchan) => {
    expect(describeWait(wchan)).toBeUndefined();
  });
});
