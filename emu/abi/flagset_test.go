// SPDX-License-Identifier: Apache-2.0

package abi

import (
	"testing"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

// definedExt are the bit indices from 32 on that may be set.
func definedExt(index int) bool {
	return index <= ExtIO || index == ExtClearSighand || index == ExtNewTime
}

func TestEachBitFrom32On(t *testing.T) {
	for index := ExtBase; index < 1024*wordBits; index++ {
		c := call{raw: rawOf(1024), set: make(FlagSet, 1024)}
		c.set[0] = unix.CLONE_VM | unix.CLONE_SIGHAND // what CLONE_THREAD needs
		if index == ExtClearSighand {
			c.set[0] = 0
		}
		c.set.Set(index)
		_, errno := c.decode()
		if want := definedExt(index); (errno == 0) != want {
			t.Errorf("bit %#x: got %v, defined: %v", index, errno, want)
		}
	}
}

func TestIndices(t *testing.T) {
	for index, flag := range map[int]uint64{
		ExtVM: unix.CLONE_VM, ExtFS: unix.CLONE_FS, ExtFiles: unix.CLONE_FILES, ExtIO: unix.CLONE_IO,
		ExtClearSighand: unix.CLONE_CLEAR_SIGHAND, ExtNewTime: unix.CLONE_NEWTIME,
		ExtIntoCgroup: unix.CLONE_INTO_CGROUP,
	} {
		if got := Ext(flag); got != index {
			t.Errorf("Ext(%#x): got %#x, want %#x", flag, got, index)
		}
	}
	if ExtVM != 0x20 || ExtFS != 0x21 || ExtFiles != 0x22 || ExtIO != 0x37 {
		t.Error("the proposal's values are not kept")
	}
}

// A bit set in either word or in both is the same flag.
func TestEitherWaySetsTheFlag(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mask := rapid.Uint32().Draw(t, "mask") &^ signalMask
		split := rapid.Uint32().Draw(t, "split")
		both := rapid.Uint32().Draw(t, "both")
		sig := rapid.Uint32Range(0, 64).Draw(t, "signal")
		set := FlagSet{mask&(split|both) | sig, mask & (^split | both) >> 8}
		flags, signal, ok := set.normalise()
		if !ok || signal != int(sig) || flags != uint64(mask) {
			t.Fatalf("%#x: got %#x, %d, %v; want %#x, %d", set, flags, signal, ok, mask, sig)
		}
	})
}

func TestSetClrIsSet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		index := rapid.IntRange(0, 127).Draw(t, "index")
		set := FlagSet(rapid.SliceOfN(rapid.Uint32(), 4, 4).Draw(t, "set"))
		before := append(FlagSet{}, set...)
		set.Set(index)
		if !set.IsSet(index) {
			t.Fatal("set, but reads as clear")
		}
		set.Clr(index)
		if set.IsSet(index) {
			t.Fatal("cleared, but reads as set")
		}
		for i := range 128 {
			if i != index && set.IsSet(i) != before.IsSet(i) {
				t.Fatalf("bit %d changed with bit %d", i, index)
			}
		}
	})
}

func TestRawRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := [ArgsSize]byte(rapid.SliceOfN(rapid.Byte(), ArgsSize, ArgsSize).Draw(t, "bytes"))
		got := ParseRaw(&b).Bytes()
		copy(b[20:24], "\x00\x00\x00\x00") // padding
		if got != b {
			t.Fatalf("got %x, want %x", got, b)
		}
	})
}

// Whatever the bytes, Decode ends with arguments that keep its promises or
// with one of the errors that the rows know.
func TestAnyBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		args := anyStruct().Draw(t, "args")
		words := rapid.SliceOfN(rapid.Byte(), 0, 64).Draw(t, "words")
		m := &fakeMemory{pieces: map[uint64][]byte{argsAddr: args}}
		if len(args) == ArgsSize {
			m.pieces[ParseRaw((*[ArgsSize]byte)(args)).Flags] = words
		}
		a, errno := Decode(m, argsAddr)
		switch errno {
		case 0:
			checkPromises(t, a)
		case unix.EFAULT, unix.EINVAL, unix.E2BIG:
		default:
			t.Fatalf("unexpected %v", errno)
		}
	})
}

// anyStruct yields arbitrary bytes, most of them such that the first checks pass.
func anyStruct() *rapid.Generator[[]byte] {
	return rapid.Custom(func(t *rapid.T) []byte {
		b := rapid.SliceOfN(rapid.Byte(), ArgsSize, ArgsSize).Draw(t, "bytes")
		if rapid.IntRange(0, 9).Draw(t, "short") == 0 {
			return b[:ArgsSize-1]
		}
		if rapid.IntRange(0, 9).Draw(t, "wild") == 0 {
			return b
		}
		raw := ParseRaw((*[ArgsSize]byte)(b))
		raw.Reserved1, raw.Reserved2 = 0, 0
		raw.FlagsSize = rapid.SampledFrom([]int32{4, 8, 64, 6, 4100}).Draw(t, "flags_size")
		raw.ChildStackBase >>= 20
		raw.ChildStackSize >>= 40
		b64 := raw.Bytes()
		return b64[:]
	})
}

func checkPromises(t *rapid.T, a *Args) {
	const lowByte = signalMask &^ unix.CLONE_NEWTIME
	if a.Flags&(lowByte|unix.CLONE_DETACHED|unix.CLONE_INTO_CGROUP) != 0 || a.Flags>>33 != 0 {
		t.Fatalf("flags %#x hold what they must not", a.Flags)
	}
	if a.ExitSignal < 0 || a.ExitSignal > 64 {
		t.Fatalf("exit signal %d", a.ExitSignal)
	}
	if a.TLS != 0 && !a.Has(unix.CLONE_SETTLS) {
		t.Fatal("a TLS value without CLONE_SETTLS")
	}
}
