module cloneat-emu

go 1.25.0
