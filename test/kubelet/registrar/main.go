// What node-driver-registrar is to the kubelet: a registration socket beside a driver that has none. It takes that
// program's flags, and ends, as that does, when the kubelet refuses the driver.
package main

import (
	"context"
	"flag"
	"log"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	registration "k8s.io/kubelet/pkg/apis/pluginregistration/v1"
)

func main() {
	address := flag.String("csi-address", "/csi/csi.sock", "the driver's socket")
	endpoint := flag.String("kubelet-registration-path", "", "the driver's socket as the kubelet finds it")
	versions := flag.String("versions", "1.0.0", "the versions of CSI that the driver is said to have")
	flag.Parse()

	name := driverName(*address)
	socket := filepath.Join("/registration", name+"-reg.sock")
	if err := os.Remove(socket); err != nil && !os.IsNotExist(err) {
		log.Fatal(err)
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer()
	registration.RegisterRegistrationServer(server, &registrar{info: &registration.PluginInfo{
		Type: registration.CSIPlugin, Name: name, Endpoint: *endpoint, SupportedVersions: strings.Split(*versions, ","),
	}})
	log.Fatal(server.Serve(listener))
}

func driverName(address string) string {
	connection, err := grpc.NewClient("unix:"+address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		log.Fatal(err)
	}
	defer connection.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	answer, err := csi.NewIdentityClient(connection).GetPluginInfo(ctx, &csi.GetPluginInfoRequest{}, grpc.WaitForReady(true))
	if err != nil {
		log.Fatal(err)
	}
	return answer.GetName()
}

type registrar struct {
	registration.UnimplementedRegistrationServer
	info *registration.PluginInfo
}

func (r *registrar) GetInfo(context.Context, *registration.InfoRequest) (*registration.PluginInfo, error) {
	return r.info, nil
}

func (r *registrar) NotifyRegistrationStatus(
	_ context.Context, status *registration.RegistrationStatus,
) (*registration.RegistrationStatusResponse, error) {
	if !status.GetPluginRegistered() {
		log.Fatalf("the kubelet refused %s: %s", r.info.GetName(), status.GetError())
	}
	return &registration.RegistrationStatusResponse{}, nil
}
