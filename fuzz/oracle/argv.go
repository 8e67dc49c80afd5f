package main

import (
	"errors"
	"flag"
	"io"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/component-base/featuregate"
	logs "k8s.io/component-base/logs/api/v1"
	_ "k8s.io/component-base/logs/json/register"
)

type commandLine struct {
	// Kind is "help", "usage" for words that cannot be read, "invalid" for options of the log that are refused, or "read".
	Kind  string `json:"kind"`
	Error string `json:"error"`
	// Values by flag, as text.
	Values map[string]string `json:"values"`
	Rest   []string          `json:"rest"`
}

// argv reads a command line with the flags of the Go sidecar 2.19.
func argv(words []string) commandLine {
	flags := flag.NewFlagSet("livenessprobe", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	for name, value := range map[string]string{
		"csi-address": "/run/csi/socket", "health-port": "9808", "http-endpoint": "", "metrics-address": "", "metrics-path": "/metrics",
	} {
		flags.String(name, value, "")
	}
	flags.Duration("probe-timeout", 3*time.Second, "")
	flags.Bool("automaxprocs", false, "")
	gates := featuregate.NewFeatureGate()
	if err := logs.AddFeatureGates(gates); err != nil {
		panic(err)
	}
	config := logs.NewLoggingConfiguration()
	logs.AddGoFlags(config, flags)

	if err := flags.Parse(words); errors.Is(err, flag.ErrHelp) {
		return commandLine{Kind: "help"}
	} else if err != nil {
		return commandLine{Kind: "usage", Error: err.Error()}
	}
	if errs := logs.Validate(config, gates, nil); len(errs) > 0 {
		return commandLine{Kind: "invalid", Error: errs.ToAggregate().Error()}
	}
	read := commandLine{Kind: "read", Values: map[string]string{}, Rest: flags.Args()}
	flags.VisitAll(func(each *flag.Flag) { read.Values[each.Name] = each.Value.String() })
	return read
}

// quantity says whether the text is a quantity and zero; nil where it is none.
func quantity(text string) *bool {
	value, err := resource.ParseQuantity(text)
	if err != nil {
		return nil
	}
	isZero := value.IsZero()
	return &isZero
}
