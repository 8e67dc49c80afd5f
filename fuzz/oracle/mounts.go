package main

import (
	"strings"

	"github.com/moby/sys/mountinfo"
)

// mount is a line of mountinfo: root, mount point, type of the file system, its options; nil where it is none.
func mount(line string) []string {
	mounts, err := mountinfo.GetMountsFromReader(strings.NewReader(line), nil)
	if err != nil || len(mounts) != 1 {
		return nil
	}
	return []string{mounts[0].Root, mounts[0].Mountpoint, mounts[0].FSType, mounts[0].VFSOptions}
}
