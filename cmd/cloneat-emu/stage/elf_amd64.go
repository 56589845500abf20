// SPDX-License-Identifier: Apache-2.0

package stage

import (
	"bytes"
	"debug/elf"
	_ "embed"
	"encoding/binary"
)

// code is asm/stage_amd64.S, assembled; TestCodeIsItsSource rebuilds it.
//
//go:generate sh -c "as -o stage.o asm/stage_amd64.S && objcopy -O binary -j .text stage.o stage_amd64.bin && rm stage.o"
//go:embed stage_amd64.bin
var code []byte

const (
	loadAddress = 0x400000
	headerSize  = 64 + 2*56 // the ELF header, two program headers
)

// executable wraps the code into a static ELF file: one segment that can be
// read and executed, and a stack that can not be executed.
func executable() []byte {
	size := uint64(headerSize + len(code))
	var b bytes.Buffer
	for _, part := range []any{
		elf.Header64{
			Ident:     [16]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
			Type:      uint16(elf.ET_EXEC),
			Machine:   uint16(elf.EM_X86_64),
			Version:   uint32(elf.EV_CURRENT),
			Entry:     loadAddress + headerSize,
			Phoff:     64,
			Ehsize:    64,
			Phentsize: 56,
			Phnum:     2,
		},
		elf.Prog64{
			Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_X),
			Vaddr: loadAddress, Paddr: loadAddress, Filesz: size, Memsz: size, Align: 4096,
		},
		elf.Prog64{Type: uint32(elf.PT_GNU_STACK), Flags: uint32(elf.PF_R | elf.PF_W), Align: 16},
	} {
		_ = binary.Write(&b, binary.LittleEndian, part) // writes to a Buffer do not fail
	}
	b.Write(code)
	return b.Bytes()
}
