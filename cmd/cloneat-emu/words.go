package main

import (
	"reflect"

	"github.com/alecthomas/kong"
)

// rawWords takes the words of the command line as they are. The library takes each through
// JSON, which makes U+FFFD of every byte that is no UTF-8: names of files may have any.
var rawWords = kong.KindMapper(reflect.String, kong.MapperFunc(func(ctx *kong.DecodeContext, target reflect.Value) error {
	word, err := ctx.Scan.PopValue("string")
	if err != nil {
		return err
	}
	target.SetString(word.String())
	return nil
}))
