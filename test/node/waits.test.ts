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
    expect(describeWait(channel)).toEqual({ channel, whatFor });
  });

  test.each([undefined, "", "0"])("is not told by %p", (wchan) => {
    expect(describeWait(wchan)).toEqual({ channel: undefined, whatFor: undefined });
  });
});
