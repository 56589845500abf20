# SPDX-License-Identifier: Apache-2.0
# A parallel build of a hundred files.
for i in $(seq 100); do
	echo "int f$i(int n) { return n + $i; }" >f$i.c
done
{
	seq -f 'int f%.0f(int);' 100
	echo 'int main(void) { int n = 0;'
	seq -f 'n = f%.0f(n);' 100
	echo 'return n != 5050; }'
} >main.c
{
	echo "objects := main.o $(seq -s ' ' -f 'f%.0f.o' 100)"
	printf 'program: $(objects)\n\t@gcc -o $@ $^\n%%.o: %%.c\n\t@gcc -O1 -c -o $@ $<\n'
} >Makefile
make -s -j2
./program
echo "built: $? $(ls *.o | wc -l)"
echo "nothing to do: $(make -q; echo $?)"
