// A stock grpc-go client that asks a driver for Identity/Probe, once a line of standard input.
//
// A line is {"id": 1, "socket": "/path/csi.sock", "timeoutMs": 2000}. The answer, a line of standard output, is
// {"id": 1, "code": "OK", "message": "", "ready": true}, with "ready" null where the driver left it out or the call failed.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"os"
	"sync"
	"time"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

type question struct {
	ID        int    `json:"id"`
	Socket    string `json:"socket"`
	TimeoutMs int64  `json:"timeoutMs"`
}

type answer struct {
	ID      int    `json:"id"`
	Code    string `json:"code"`
	Message string `json:"message"`
	Ready   *bool  `json:"ready"`
}

// main ends with its parent: standard input is closed then.
func main() {
	log.SetFlags(0)
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var q question
		if err := json.Unmarshal(lines.Bytes(), &q); err != nil {
			log.Fatal(err)
		}
		go tell(q)
	}
}

func tell(q question) {
	response, err := probe(q)
	told := answer{ID: q.ID, Code: status.Code(err).String()}
	if err != nil {
		// encoding/json makes U+FFFD of each byte that is not UTF-8.
		told.Message = status.Convert(err).Message()
	} else if ready := response.GetReady(); ready != nil {
		told.Ready = &ready.Value
	}
	emit(told)
}

// probe waits for a connection as the Go sidecar does, and takes every other default of grpc-go.
func probe(q question) (*csi.ProbeResponse, error) {
	conn, err := grpc.NewClient("unix://"+q.Socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(q.TimeoutMs)*time.Millisecond)
	defer cancel()
	for {
		response, err := csi.NewIdentityClient(conn).Probe(ctx, &csi.ProbeRequest{}, grpc.WaitForReady(true))
		// A race in grpc-go: where GOAWAY ends the stream while the request is sent, it may return this error without a status.
		if !errors.Is(err, io.EOF) {
			return response, err
		}
	}
}

var output sync.Mutex

func emit(a answer) {
	output.Lock()
	defer output.Unlock()
	if err := json.NewEncoder(os.Stdout).Encode(a); err != nil {
		log.Fatal(err)
	}
}
