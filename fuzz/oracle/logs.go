package main

import (
	"bytes"
	"errors"
	"math"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"github.com/go-logr/logr"
	"go.uber.org/zap/zapcore"
	logsjson "k8s.io/component-base/logs/json"
	"k8s.io/klog/v2/textlogger"
)

type record struct {
	TimeMs  int64   `json:"timeMs"`
	Message string  `json:"message"`
	Error   *string `json:"error"`
	// Level of an info line.
	Level  int     `json:"level"`
	Values [][]any `json:"values"`
}

var caller = regexp.MustCompile(`[\w/]+\.go:\d+`)

// klogText is the line of klog's text logger, with "x.go:1" as its caller.
func klogText(it record) string {
	var output bytes.Buffer
	log := textlogger.NewLogger(textlogger.NewConfig(
		textlogger.Output(&output), textlogger.FixedTime(time.UnixMilli(it.TimeMs)), textlogger.Verbosity(10)))
	write(log, it)
	return withoutCaller(output.String())
}

// klogJSON is the line of Kubernetes' JSON logger, with "x.go:1" as its caller.
func klogJSON(it record) string {
	var output bytes.Buffer
	log, _ := logsjson.NewJSONLogger(10, zapcore.AddSync(&output), nil, nil)
	write(log, it)
	return withoutCaller(output.String())
}

func write(log logr.Logger, it record) {
	pairs := make([]any, 0, 2*len(it.Values))
	for _, pair := range it.Values {
		pairs = append(pairs, pair[0], plain(pair[1]))
	}
	if it.Error != nil {
		log.Error(errors.New(*it.Error), it.Message, pairs...)
	} else {
		log.V(it.Level).Info(it.Message, pairs...)
	}
}

// plain makes a whole number an int64, as a program would log it, and a list one of strings where all are.
func plain(value any) any {
	switch it := value.(type) {
	case float64:
		if it == math.Trunc(it) && math.Abs(it) < 1<<53 {
			return int64(it)
		}
	case []any:
		texts := make([]string, 0, len(it))
		for _, each := range it {
			if text, isText := each.(string); isText {
				texts = append(texts, text)
			}
		}
		if len(texts) == len(it) {
			return texts
		}
	}
	return value
}

// Only the first one: what looks like a caller behind it belongs to the record.
func withoutCaller(line string) string {
	at := caller.FindStringIndex(line)
	if at == nil {
		return line
	}
	return line[:at[0]] + "x.go:1" + line[at[1]:]
}

// matches says whether a glob matches a name; a malformed one matches none.
func matches(it [2]string) bool {
	isMatch, err := filepath.Match(it[0], it[1])
	return err == nil && isMatch
}

// status is a gRPC status code as grpc-go reads its header; nil where it is malformed.
func status(header string) *int64 {
	code, err := strconv.ParseInt(header, 10, 32)
	if err != nil {
		return nil
	}
	return &code
}
