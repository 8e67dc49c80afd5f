package main

import (
	"net/url"
	"strings"

	_ "google.golang.org/grpc"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/serviceconfig"
)

// socket is the path that the Go sidecar connects to for an address; nil where it is no unix socket.
//
// As connect in csi-lib-utils 0.25: behind "unix://", which it puts before a path, its own dialer takes the text as it is.
// Any other address goes to grpc-go's resolver.
func socket(address string) *string {
	if strings.HasPrefix(address, "/") {
		address = "unix://" + address
	}
	target, err := url.Parse(address)
	path, isLiteral := strings.CutPrefix(address, "unix://")
	if isLiteral && err != nil {
		return &path
	}
	if err != nil || target.Scheme != "unix" {
		return nil
	}
	var found resolved
	if _, err := resolver.Get("unix").Build(resolver.Target{URL: *target}, &found, resolver.BuildOptions{}); err != nil {
		return nil
	}
	if isLiteral {
		return &path
	}
	return &found.path
}

// resolved takes the address of a resolver.
type resolved struct{ path string }

func (r *resolved) UpdateState(state resolver.State) error {
	r.path = state.Addresses[0].Addr
	return nil
}
func (*resolved) ReportError(error)                                    {}
func (*resolved) NewAddress([]resolver.Address)                        {}
func (*resolved) ParseServiceConfig(string) *serviceconfig.ParseResult { return nil }
