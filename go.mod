module cloneat-emu

go 1.26.0

require (
	golang.org/x/sys v0.50.0
	pgregory.net/rapid v1.3.0
)

require (
	github.com/google/go-cmp v0.7.0
	github.com/sirupsen/logrus v1.10.2
)
