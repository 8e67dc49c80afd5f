// A CSI driver on grpc-go that does as it is told: the modes are those of test/support/driver-protocol.ts.
//
//	driver --socket PATH | --endpoint unix://PATH --name NAME [--mode MODE] [--vendor-version TEXT] [--leak-mib N]
//	    [--plugin-capabilities NAME,...] [--node-capabilities NAME,...] [--controller-capabilities NAME,...]
//
// Commands arrive on standard input, a line each; events leave on standard output as JSON lines. With --endpoint, which is
// what the manifests in deploy/examples say, it takes no commands: a pod has no standard input.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

func main() {
	socket := flag.String("socket", "", "unix socket to listen on")
	endpoint := flag.String("endpoint", "", "unix://PATH in place of --socket, and no commands")
	name := flag.String("name", "go.csi.test", "the driver's name")
	first := flag.String("mode", "ready", "how Probe answers")
	version := flag.String("vendor-version", "1.0.0", "the driver's version")
	plugin := flag.String("plugin-capabilities", "CONTROLLER_SERVICE,ONLINE", "by name, or a service by number")
	node := flag.String("node-capabilities", "STAGE_UNSTAGE_VOLUME,GET_VOLUME_STATS", "by name or number")
	controller := flag.String("controller-capabilities", "CREATE_DELETE_VOLUME,PUBLISH_UNPUBLISH_VOLUME", "by name or number")
	leak := flag.Int("leak-mib", 0, "MiB of memory that each Probe takes and keeps")
	flag.Parse()
	log.SetFlags(0)

	d := &driver{name: *name, version: *version, leak: *leak << 20}
	if err := errors.Join(
		d.command("mode "+*first), d.readPlugin(*plugin), d.readNode(*node), d.readController(*controller),
	); err != nil {
		log.Fatal(err)
	}
	path, inPod := strings.CutPrefix(*endpoint, "unix://")
	if !inPod {
		path = *socket
		go d.readCommands()
	}
	if err := d.serve(path); err != nil {
		log.Fatal(err)
	}
}

type driver struct {
	csi.UnimplementedIdentityServer
	csi.UnimplementedNodeServer
	csi.UnimplementedControllerServer
	name       string
	version    string
	plugin     []*csi.PluginCapability
	node       []*csi.NodeServiceCapability
	controller []*csi.ControllerServiceCapability
	modes      modes
	leak       int
	leaking    sync.Mutex
	leaked     [][]byte
}

// modes is how each RPC answers, by the word that commands it.
type modes struct {
	probe, info, pluginCapabilities, nodeCapabilities, nodeInfo, controllerCapabilities atomic.Pointer[mode]
}

func (m *modes) of(what string) *atomic.Pointer[mode] {
	switch what {
	case "mode":
		return &m.probe
	case "info":
		return &m.info
	case "GetPluginCapabilities":
		return &m.pluginCapabilities
	case "NodeGetCapabilities":
		return &m.nodeCapabilities
	case "NodeGetInfo":
		return &m.nodeInfo
	case "ControllerGetCapabilities":
		return &m.controllerCapabilities
	}
	return nil
}

func (d *driver) serve(socket string) error {
	// A driver that was killed leaves its socket behind; real drivers clear it away when they start.
	if err := os.Remove(socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	server := grpc.NewServer(grpc.UnaryInterceptor(report), grpc.UnknownServiceHandler(reportUnknown))
	csi.RegisterIdentityServer(server, d)
	csi.RegisterNodeServer(server, d)
	csi.RegisterControllerServer(server, d)

	terminated := make(chan os.Signal, 1)
	signal.Notify(terminated, syscall.SIGTERM)
	go func() {
		<-terminated
		server.Stop()
	}()

	emit(map[string]any{"event": "listening"})
	return server.Serve(&countingListener{Listener: listener})
}

// readCommands ends the process with its parent: a test run that dies leaves no drivers behind.
func (d *driver) readCommands() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		if err := d.command(lines.Text()); err != nil {
			log.Fatal(err)
		}
		emit(map[string]any{"event": "command", "line": lines.Text()})
	}
	os.Exit(0)
}

func (d *driver) command(line string) error {
	what, text, _ := strings.Cut(line, " ")
	m, err := parseMode(text)
	if err != nil {
		return fmt.Errorf("%w in the command %q", err, line)
	}
	current := d.modes.of(what)
	if current == nil {
		return fmt.Errorf("unknown command %q", line)
	}
	current.Store(m)
	return nil
}

func (d *driver) readPlugin(names string) error {
	for _, name := range split(names) {
		if expansion, ok := csi.PluginCapability_VolumeExpansion_Type_value[name]; ok && name != "UNKNOWN" {
			kind := &csi.PluginCapability_VolumeExpansion{Type: csi.PluginCapability_VolumeExpansion_Type(expansion)}
			d.plugin = append(d.plugin, &csi.PluginCapability{Type: &csi.PluginCapability_VolumeExpansion_{VolumeExpansion: kind}})
			continue
		}
		number, err := enumValue(csi.PluginCapability_Service_Type_value, name)
		if err != nil {
			return err
		}
		kind := &csi.PluginCapability_Service{Type: csi.PluginCapability_Service_Type(number)}
		d.plugin = append(d.plugin, &csi.PluginCapability{Type: &csi.PluginCapability_Service_{Service: kind}})
	}
	return nil
}

func (d *driver) readNode(names string) error {
	for _, name := range split(names) {
		number, err := enumValue(csi.NodeServiceCapability_RPC_Type_value, name)
		if err != nil {
			return err
		}
		rpc := &csi.NodeServiceCapability_RPC{Type: csi.NodeServiceCapability_RPC_Type(number)}
		d.node = append(d.node, &csi.NodeServiceCapability{Type: &csi.NodeServiceCapability_Rpc{Rpc: rpc}})
	}
	return nil
}

func (d *driver) readController(names string) error {
	for _, name := range split(names) {
		number, err := enumValue(csi.ControllerServiceCapability_RPC_Type_value, name)
		if err != nil {
			return err
		}
		rpc := &csi.ControllerServiceCapability_RPC{Type: csi.ControllerServiceCapability_RPC_Type(number)}
		d.controller = append(d.controller, &csi.ControllerServiceCapability{Type: &csi.ControllerServiceCapability_Rpc{Rpc: rpc}})
	}
	return nil
}

func split(names string) []string {
	return strings.FieldsFunc(names, func(r rune) bool { return r == ',' })
}

// enumValue reads a name as the specification's own Go package has it, or a number that it may not know.
func enumValue(values map[string]int32, name string) (int32, error) {
	if value, ok := values[name]; ok {
		return value, nil
	}
	number, err := strconv.ParseInt(name, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("unknown capability %q", name)
	}
	return int32(number), nil
}

type mode struct {
	kind    string
	delay   time.Duration
	code    codes.Code
	message string
}

func parseMode(text string) (*mode, error) {
	kind, rest, _ := strings.Cut(text, " ")
	switch kind {
	case "ready", "absent", "notready", "notready-empty", "hang", "trailers":
		return &mode{kind: kind}, nil
	case "slow":
		ms, err := strconv.Atoi(rest)
		return &mode{kind: kind, delay: time.Duration(ms) * time.Millisecond}, err
	case "status":
		number, message, _ := strings.Cut(rest, " ")
		code, err := strconv.ParseUint(number, 10, 32)
		return &mode{kind: kind, code: codes.Code(code), message: message}, err
	}
	return nil, fmt.Errorf("unknown mode %q", text)
}

// follow does what a mode asks of any call before it is answered. Without a command there is no mode: ready.
func (m *mode) follow(ctx context.Context) error {
	if m == nil {
		return nil
	}
	switch m.kind {
	case "hang":
		<-ctx.Done()
		return ctx.Err()
	case "slow":
		select {
		case <-time.After(m.delay):
		case <-ctx.Done():
			return ctx.Err()
		}
	case "status":
		return status.Error(m.code, m.message)
	case "trailers":
		if err := grpc.SetHeader(ctx, metadata.Pairs("x-driver", "header")); err != nil {
			return err
		}
		return grpc.SetTrailer(ctx, metadata.Pairs("x-driver", "trailer"))
	}
	return nil
}

func (d *driver) Probe(ctx context.Context, _ *csi.ProbeRequest) (*csi.ProbeResponse, error) {
	if d.leak > 0 {
		d.leaking.Lock()
		// Written to, or the kernel gives no memory for it.
		d.leaked = append(d.leaked, bytes.Repeat([]byte{1}, d.leak))
		d.leaking.Unlock()
	}
	m := d.modes.probe.Load()
	if err := m.follow(ctx); err != nil {
		return nil, err
	}
	switch m.kind {
	case "absent":
		return &csi.ProbeResponse{}, nil
	case "notready-empty":
		return &csi.ProbeResponse{Ready: wrapperspb.Bool(false)}, nil
	case "notready":
		// protobuf-go leaves a false out; other libraries write it, so it goes in as a field nobody knows.
		ready := wrapperspb.Bool(false)
		ready.ProtoReflect().SetUnknown([]byte{0x08, 0x00})
		return &csi.ProbeResponse{Ready: ready}, nil
	}
	return &csi.ProbeResponse{Ready: wrapperspb.Bool(true)}, nil
}

func (d *driver) GetPluginInfo(ctx context.Context, _ *csi.GetPluginInfoRequest) (*csi.GetPluginInfoResponse, error) {
	if err := d.modes.info.Load().follow(ctx); err != nil {
		return nil, err
	}
	return &csi.GetPluginInfoResponse{Name: d.name, VendorVersion: d.version}, nil
}

func (d *driver) GetPluginCapabilities(ctx context.Context, _ *csi.GetPluginCapabilitiesRequest) (*csi.GetPluginCapabilitiesResponse, error) {
	if err := d.modes.pluginCapabilities.Load().follow(ctx); err != nil {
		return nil, err
	}
	return &csi.GetPluginCapabilitiesResponse{Capabilities: d.plugin}, nil
}

func (d *driver) NodeGetCapabilities(ctx context.Context, _ *csi.NodeGetCapabilitiesRequest) (*csi.NodeGetCapabilitiesResponse, error) {
	if err := d.modes.nodeCapabilities.Load().follow(ctx); err != nil {
		return nil, err
	}
	return &csi.NodeGetCapabilitiesResponse{Capabilities: d.node}, nil
}

func (d *driver) NodeGetInfo(ctx context.Context, _ *csi.NodeGetInfoRequest) (*csi.NodeGetInfoResponse, error) {
	if err := d.modes.nodeInfo.Load().follow(ctx); err != nil {
		return nil, err
	}
	topology := &csi.Topology{Segments: map[string]string{"topology.csi.test/zone": "zone-1"}}
	return &csi.NodeGetInfoResponse{NodeId: "node-1", MaxVolumesPerNode: 25, AccessibleTopology: topology}, nil
}

func (d *driver) ControllerGetCapabilities(ctx context.Context, _ *csi.ControllerGetCapabilitiesRequest) (*csi.ControllerGetCapabilitiesResponse, error) {
	if err := d.modes.controllerCapabilities.Load().follow(ctx); err != nil {
		return nil, err
	}
	return &csi.ControllerGetCapabilitiesResponse{Capabilities: d.controller}, nil
}

// reportUnknown tells of a call to a service or a method that this driver has not.
func reportUnknown(_ any, stream grpc.ServerStream) error {
	method, _ := grpc.MethodFromServerStream(stream)
	emit(map[string]any{"event": "rpc", "method": method})
	return status.Errorf(codes.Unimplemented, "unknown method %s", method)
}

// report tells of a call before it is handled. grpc-go keeps the grpc-timeout header to itself: the deadline stands in.
func report(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	event := map[string]any{"event": "rpc", "method": info.FullMethod}
	if message, ok := request.(proto.Message); ok {
		event["requestBytes"] = proto.Size(message)
	}
	if deadline, ok := ctx.Deadline(); ok {
		event["deadlineMs"] = time.Until(deadline).Milliseconds()
	}
	headers, _ := metadata.FromIncomingContext(ctx)
	if authority := headers.Get(":authority"); len(authority) > 0 {
		event["authority"] = authority[0]
	}
	if agent := headers.Get("user-agent"); len(agent) > 0 {
		event["userAgent"] = agent[0]
	}
	emit(event)
	return handler(ctx, request)
}

// countingListener tells of each connection from its accept, so that one which never speaks HTTP/2 counts too.
type countingListener struct {
	net.Listener
	mutex sync.Mutex
	open  int
}

func (l *countingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.count("connection", 1)
	return &countedConn{Conn: conn, closed: sync.OnceFunc(func() { l.count("closed", -1) })}, nil
}

func (l *countingListener) count(event string, by int) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.open += by
	emit(map[string]any{"event": event, "open": l.open})
}

type countedConn struct {
	net.Conn
	closed func()
}

func (c *countedConn) Close() error {
	defer c.closed()
	return c.Conn.Close()
}

var output sync.Mutex

func emit(event map[string]any) {
	output.Lock()
	defer output.Unlock()
	if err := json.NewEncoder(os.Stdout).Encode(event); err != nil {
		log.Fatal(err)
	}
}
