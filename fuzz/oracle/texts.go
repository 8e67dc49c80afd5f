package main

import (
	"net"
	"net/netip"
	"strconv"
	"time"
)

// duration is [nanoseconds, text], or nil where the text is no duration.
func duration(text string) []string {
	value, err := time.ParseDuration(text)
	if err != nil {
		return nil
	}
	return []string{strconv.FormatInt(int64(value), 10), value.String()}
}

type address struct {
	Host string `json:"host"`
	Port int    `json:"port"`
	// IP is canonical, and empty for a name.
	IP string `json:"ip"`
	// Every says that net.Listen takes it for all addresses.
	Every bool `json:"every"`
}

// listen is what net.Listen makes of "host:port" before it asks DNS; nil where it cannot be read.
func listen(text string) *address {
	host, service, err := net.SplitHostPort(text)
	if err != nil {
		return nil
	}
	port, err := net.LookupPort("tcp", service)
	if err != nil {
		return nil
	}
	read := address{Host: host, Port: port, Every: host == ""}
	if ip, err := netip.ParseAddr(host); err == nil {
		read.IP = ip.String()
		read.Every = net.IP(ip.AsSlice()).IsUnspecified()
	}
	return &read
}
