module fuzzoracle

go 1.26.0
