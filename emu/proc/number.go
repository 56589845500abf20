// SPDX-License-Identifier: Apache-2.0

package proc

import (
	"fmt"
	"strconv"
	"strings"
)

type integer interface {
	~int | ~int32 | ~int64 | ~uint32 | ~uint64
}

// number parses all of v. Negative numbers are for signed types only.
func number[T integer](dst *T, v string, base int) error {
	if strings.HasPrefix(v, "-") {
		n, err := strconv.ParseInt(v, base, 64)
		if err == nil && (T(n) >= 0 || int64(T(n)) != n) {
			return fmt.Errorf("%s is out of range", v)
		}
		*dst = T(n)
		return err
	}
	n, err := strconv.ParseUint(v, base, 64)
	if err == nil && (T(n) < 0 || uint64(T(n)) != n) {
		return fmt.Errorf("%s is out of range", v)
	}
	*dst = T(n)
	return err
}

// numbers parses decimal numbers that are separated by white space.
func numbers[T integer](dst *[]T, v string) error {
	for field := range strings.FieldsSeq(v) {
		var n T
		if err := number(&n, field, 10); err != nil {
			return err
		}
		*dst = append(*dst, n)
	}
	return nil
}

func four(dst *[4]uint32, v string) error {
	list := make([]uint32, 0, len(dst))
	if err := numbers(&list, v); err != nil {
		return err
	}
	if len(list) != len(dst) {
		return fmt.Errorf("%d numbers, not 4", len(list))
	}
	copy(dst[:], list)
	return nil
}

// kilobytes parses "123 kB" into bytes.
func kilobytes(dst *uint64, v string) error {
	v, ok := strings.CutSuffix(v, " kB")
	if !ok {
		return fmt.Errorf("%q is not in kB", v)
	}
	err := number(dst, v, 10)
	*dst *= 1024
	return err
}
