// The oracles in Go of `bun run fuzz`. The only argument is the kind of question.
//
// Each line of standard input is a JSON array of inputs, each line of standard output the array of the answers to them. It
// ends with its standard input.
package main

import (
	"bufio"
	"encoding/json"
	"io"
	"log"
	"os"
	"strconv"
)

// kinds has a function for each kind of question: it answers a whole array.
var kinds = map[string]func([]byte) any{
	"argv":     each(argv),
	"duration": each(duration),
	"glob":     each(matches),
	"metrics":  each(exposition),
	"json":     each(klogJSON),
	"klog":     each(klogText),
	"listen":   each(listen),
	"message":  each(message),
	"mount":    each(mount),
	"quantity": each(quantity),
	"quote":    each(strconv.Quote),
	"socket":   each(socket),
	"status":   each(status),
}

func main() {
	log.SetFlags(0)
	answer, isKnown := kinds[os.Args[1]]
	if !isKnown {
		log.Fatalf("no such kind of question: %s", os.Args[1])
	}
	input := bufio.NewReaderSize(os.Stdin, 1<<20)
	output := json.NewEncoder(os.Stdout)
	output.SetEscapeHTML(false)
	for {
		line, err := input.ReadBytes('\n')
		if err == io.EOF {
			return
		}
		if err != nil {
			log.Fatal(err)
		}
		if err := output.Encode(answer(line)); err != nil {
			log.Fatal(err)
		}
	}
}

func each[Input, Answer any](answer func(Input) Answer) func([]byte) any {
	return func(line []byte) any {
		var inputs []Input
		if err := json.Unmarshal(line, &inputs); err != nil {
			log.Fatal(err)
		}
		answers := make([]Answer, len(inputs))
		for index, input := range inputs {
			answers[index] = answer(input)
		}
		return answers
	}
}
