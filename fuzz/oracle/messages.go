package main

import (
	"strconv"
	"strings"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/protobuf/proto"
	registration "k8s.io/kubelet/pkg/apis/pluginregistration/v1"
)

// message reads [name, bytes in base64]: what we use of it, false where it is no message, true where only its text is no UTF-8.
func message(it struct {
	Name  string
	Bytes []byte
}) any {
	switch it.Name {
	case "probe":
		return read(it.Bytes, &csi.ProbeResponse{}, func(m *csi.ProbeResponse) any {
			return map[string]any{"ready": m.Ready == nil || m.Ready.Value}
		})
	case "pluginInfo":
		return read(it.Bytes, &csi.GetPluginInfoResponse{}, func(m *csi.GetPluginInfoResponse) any {
			return map[string]any{"name": m.Name, "vendorVersion": m.VendorVersion}
		})
	case "pluginCapabilities":
		return read(it.Bytes, &csi.GetPluginCapabilitiesResponse{}, pluginCapabilities)
	case "nodeCapabilities":
		return read(it.Bytes, &csi.NodeGetCapabilitiesResponse{}, func(m *csi.NodeGetCapabilitiesResponse) any {
			names := []string{}
			for _, each := range m.Capabilities {
				if rpc, isRPC := each.Type.(*csi.NodeServiceCapability_Rpc); isRPC {
					names = appendNew(names, rpc.Rpc.GetType().String())
				}
			}
			return names
		})
	case "controllerCapabilities":
		return read(it.Bytes, &csi.ControllerGetCapabilitiesResponse{}, func(m *csi.ControllerGetCapabilitiesResponse) any {
			names := []string{}
			for _, each := range m.Capabilities {
				if rpc, isRPC := each.Type.(*csi.ControllerServiceCapability_Rpc); isRPC {
					names = appendNew(names, rpc.Rpc.GetType().String())
				}
			}
			return names
		})
	case "nodeInfo":
		return read(it.Bytes, &csi.NodeGetInfoResponse{}, func(m *csi.NodeGetInfoResponse) any {
			segments := map[string]string{}
			for key, value := range m.GetAccessibleTopology().GetSegments() {
				segments[key] = value
			}
			return map[string]any{"nodeId": m.NodeId, "maxVolumesPerNode": m.MaxVolumesPerNode, "topologySegments": segments}
		})
	case "registrationInfo":
		return read(it.Bytes, &registration.PluginInfo{}, func(m *registration.PluginInfo) any {
			return map[string]any{"type": m.Type, "name": m.Name, "endpoint": m.Endpoint}
		})
	}
	panic(it.Name)
}

func read[M proto.Message](bytes []byte, into M, tell func(M) any) any {
	if err := proto.Unmarshal(bytes, into); err != nil {
		return strings.Contains(err.Error(), "invalid UTF-8")
	}
	return tell(into)
}

func pluginCapabilities(m *csi.GetPluginCapabilitiesResponse) any {
	services, expansion := []string{}, []string{}
	for _, each := range m.Capabilities {
		switch kind := each.Type.(type) {
		case *csi.PluginCapability_Service_:
			services = appendNew(services, kind.Service.GetType().String())
		case *csi.PluginCapability_VolumeExpansion_:
			expansion = appendNew(expansion, kind.VolumeExpansion.GetType().String())
		}
	}
	return map[string]any{"services": services, "volumeExpansion": expansion}
}

// appendNew writes an enum that has no name as we do.
func appendNew(names []string, name string) []string {
	if _, err := strconv.Atoi(name); err == nil {
		name = "UNKNOWN(" + name + ")"
	}
	for _, each := range names {
		if each == name {
			return names
		}
	}
	return append(names, name)
}
