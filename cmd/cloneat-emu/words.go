// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
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

// refuseEmpty refuses flags whose value is an empty word, as an unset variable in a script
// makes one: to some it would mean nothing at all, which is not what was asked for.
func refuseEmpty(ctx *kong.Context) error {
	for _, p := range ctx.Path {
		if p.Flag == nil {
			continue
		}
		switch v := p.Flag.Target; v.Kind() {
		case reflect.String, reflect.Slice:
			if v.Len() == 0 {
				return fmt.Errorf("--%s: the value is empty", p.Flag.Name)
			}
		}
	}
	return nil
}
