import { describe, expect, test } from "bun:test";
import { describeWait } from "../../src/node/waits";

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
    expect(describeWait(channel, undefined, "x64")).toEqual({ channel, systemCall: undefined, whatFor });
  });

  test.each([undefined, "", "0"])("is not told by %p", (wchan) => {
    expect(describeWait(wchan, undefined, "x64")).toEqual({
      channel: undefined,
      systemCall: undefined,
      whatFor: undefined,
    });
  });
});

describe("the system call that it is in", () => {
  test.each([
    ["262 0xffffff9c 0x7ffc 0x7ffd 0x0 0x0 0x0 0x7ffe 0x7fff\n", "x64", "newfstatat"],
    ["332 0x0 0x0 0x0 0x0 0x0 0x0 0x7ffe 0x7fff\n", "x64", "statx"],
    ["291 0x0 0x0 0x0 0x0 0x0 0x0 0x7ffe 0x7fff\n", "arm64", "statx"],
    ["166 0x0 0x0 0x0 0x0 0x0 0x0 0x7ffe 0x7fff\n", "x64", "umount2"],
    ["39 0x0 0x0 0x0 0x0 0x0 0x0 0x7ffe 0x7fff\n", "arm64", "umount2"],
    ["435 0x0 0x0 0x0 0x0 0x0 0x0 0x7ffe 0x7fff\n", "arm64", "clone3"],
    ["9999 0x0 0x0 0x0 0x0 0x0 0x0 0x7ffe 0x7fff\n", "x64", "number 9999"],
    ["-1 0x7ffe 0x7fff\n", "x64", "page fault"],
    ["running\n", "x64", undefined],
    ["", "x64", undefined],
    [undefined, "x64", undefined],
  ])("%j on %s is %p", (text, arch, systemCall) => {
    expect(describeWait("io_schedule", text, arch).systemCall).toBe(systemCall as string);
  });
});
