// A liveness sidecar as Go programs are commonly written: what bench/run.ts measures ours against.
//
// It does what the Go sidecar does for each request and takes the flags of its that matter here. It is no product: there is
// no diagnosis, no sharing, and one listener.
package main

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

const startTimeout = time.Minute

func main() {
	address := flag.String("csi-address", "/run/csi/socket", "the driver's socket")
	endpoint := flag.String("http-endpoint", "", "where to serve /healthz and /metrics, in place of --health-port")
	port := flag.String("health-port", "9808", "the port of all addresses where to serve them")
	timeout := flag.Duration("probe-timeout", 3*time.Second, "how long a probe may take, connecting included")
	verbosity := flag.Int("v", 0, "5 logs every probe")
	flag.Parse()
	if *endpoint == "" {
		*endpoint = "0.0.0.0:" + *port
	}

	level := slog.LevelInfo
	if *verbosity >= 5 {
		level = slog.LevelDebug
	}
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level, AddSource: true}))
	s := &sidecar{target: "unix:" + *address, timeout: *timeout, logger: logger}
	if err := s.serve(*endpoint); err != nil {
		logger.Error("Cannot serve", "err", err)
		os.Exit(1)
	}
}

type sidecar struct {
	target     string
	timeout    time.Duration
	logger     *slog.Logger
	driverName string
	operations *prometheus.HistogramVec
}

// serve asks for the driver's name before it listens, as the Go sidecar does.
func (s *sidecar) serve(endpoint string) error {
	s.operations = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "csi_sidecar_operations_seconds",
		Help:    "Duration of calls to the driver, in seconds.",
		Buckets: []float64{.1, .25, .5, 1, 2.5, 5, 10, 15, 25, 50, 120, 300, 600},
	}, []string{"driver_name", "method_name", "grpc_status_code"})
	registry := prometheus.NewRegistry()
	registry.MustRegister(s.operations)

	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	s.driverName = "unknown-driver"
	if err := s.call(ctx, s.getName); err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", s.healthz)
	mux.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	s.logger.Info("Listening", "address", endpoint, "driver", s.driverName)
	return http.ListenAndServe(endpoint, mux)
}

func (s *sidecar) healthz(w http.ResponseWriter, request *http.Request) {
	ctx, cancel := context.WithTimeout(request.Context(), s.timeout)
	defer cancel()
	s.logger.Debug("Sending probe request to CSI driver", "driver", s.driverName)
	if err := s.call(ctx, probe); err != nil {
		s.logger.Error("Health check failed", "err", err)
		w.WriteHeader(http.StatusInternalServerError)
		w.Write([]byte(err.Error()))
		return
	}
	s.logger.Debug("Health check succeeded")
	w.Write([]byte("ok"))
}

// call opens a connection, waits until it is ready, and closes it behind the call.
func (s *sidecar) call(ctx context.Context, do func(context.Context, csi.IdentityClient) error) error {
	conn, err := grpc.NewClient(s.target,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithUnaryInterceptor(s.observe),
		grpc.WithIdleTimeout(0),
	)
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.Connect()
	for state := conn.GetState(); state != connectivity.Ready; state = conn.GetState() {
		if !conn.WaitForStateChange(ctx, state) {
			return ctx.Err()
		}
	}
	return do(ctx, csi.NewIdentityClient(conn))
}

func (s *sidecar) observe(ctx context.Context, method string, request, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
	start := time.Now()
	err := invoke(ctx, method, request, reply, conn, options...)
	s.operations.WithLabelValues(s.driverName, method, status.Code(err).String()).Observe(time.Since(start).Seconds())
	return err
}

func (s *sidecar) getName(ctx context.Context, client csi.IdentityClient) error {
	info, err := client.GetPluginInfo(ctx, &csi.GetPluginInfoRequest{})
	if err == nil {
		s.driverName = info.GetName()
	}
	return err
}

func probe(ctx context.Context, client csi.IdentityClient) error {
	answer, err := client.Probe(ctx, &csi.ProbeRequest{})
	if err != nil {
		return err
	}
	if ready := answer.GetReady(); ready != nil && !ready.GetValue() {
		return errors.New("driver responded but is not ready")
	}
	return nil
}
