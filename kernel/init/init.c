// SPDX-License-Identifier: GPL-2.0
/*
 * init of the machine that kernel/boot.sh boots: makes the usual mounts, runs
 * one program as root, and says on the console how it ended.
 *
 * The program's command line is /cmdline, words that end in a NUL; its
 * environment is /environ, of the same form.  Its input is /dev/null, its
 * output goes to a port of its own, so that nothing of the kernel's mixes with
 * it.  The kernel's command line names that: CLONEAT_PORT=/dev/...
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define MAX_WORDS 4096
#define __noreturn __attribute__((noreturn))

static void complain(const char *what)
{
	printf("cloneat-init: %s: %s\n", what, strerror(errno));
	fflush(stdout);
}

/* The machine has no use without its init: say why and end it. */
static void __noreturn fail(const char *what)
{
	complain(what);
	sync();
	reboot(RB_POWER_OFF);
	_exit(1);
}

static void mount_on(const char *type, const char *dir, unsigned long flags,
		     const char *data)
{
	if (mkdir(dir, 0755) && errno != EEXIST)
		complain(dir);
	if (mount(type, dir, type, flags, data) && errno != EBUSY)
		complain(dir);
}

static void make_mounts(void)
{
	mount_on("proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	mount_on("sysfs", "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	mount_on("devtmpfs", "/dev", MS_NOSUID, "mode=0755");
	mount_on("devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC,
		 "ptmxmode=0666,mode=0620,gid=5");
	mount_on("tmpfs", "/dev/shm", MS_NOSUID | MS_NODEV, "mode=1777");
	mount_on("mqueue", "/dev/mqueue", MS_NOSUID | MS_NODEV, NULL);
	mount_on("cgroup2", "/sys/fs/cgroup",
		 MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	/* Version 1 beside it, where the kernel has that. */
	if (!mkdir("/dev/freezer", 0755) &&
	    mount("cgroup", "/dev/freezer", "cgroup", 0, "freezer"))
		rmdir("/dev/freezer");
	/* Only the debug kernel has it, and kmemleak lives there. */
	if (!access("/sys/kernel/debug", F_OK))
		mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	if (symlink("/proc/self/fd", "/dev/fd") && errno != EEXIST)
		complain("/dev/fd");
}

/*
 * The initramfs is the one mount that pivot_root(2) refuses.  Move a bind mount
 * of it over the root, as switch_root(8) does with a disk.
 */
static void leave_rootfs(void)
{
	if (mkdir("/newroot", 0755) ||
	    mount("/", "/newroot", NULL, MS_BIND, NULL) ||
	    chdir("/newroot") || mount(".", "/", NULL, MS_MOVE, NULL) ||
	    chroot(".") || chdir("/"))
		fail("newroot");
	rmdir("/newroot");
}

static void put(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		complain(path);
	if (fd >= 0)
		close(fd);
}

/* Groups that anyone makes below the root can have their tasks limited. */
static void divide_cgroups(void)
{
	put("/sys/fs/cgroup/cgroup.subtree_control", "+pids");
}

static void lo_up(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &ifr))
		complain("lo");
	if (fd >= 0)
		close(fd);
}

static char **read_words(const char *path)
{
	char **words = calloc(MAX_WORDS + 1, sizeof(*words));
	FILE *f = fopen(path, "re");
	size_t room = 0;
	int n = 0;

	if (!words || !f)
		fail(path);
	while (n < MAX_WORDS && getdelim(&words[n], &room, '\0', f) > 0) {
		room = 0;
		n++;
	}
	/* getdelim() may have allocated for the word that was not there. */
	words[n] = NULL;
	fclose(f);
	return words;
}

/* No processing of bytes: what goes in comes out. */
static void make_raw(int fd)
{
	struct termios t;

	if (tcgetattr(fd, &t))
		return;
	cfmakeraw(&t);
	tcsetattr(fd, TCSANOW, &t);
}

/*
 * The driver of a virtio port adds it when the host has answered, which may be
 * after init began.
 */
static int open_output(void)
{
	const char *port = getenv("CLONEAT_PORT");
	int fd, tries = 10000;

	if (!port)
		return dup(STDOUT_FILENO);
	do {
		fd = open(port, O_WRONLY | O_NOCTTY | O_CLOEXEC);
	} while (fd < 0 && tries-- && !usleep(1000));
	if (fd < 0)
		fail(port);
	make_raw(fd);
	return fd;
}

static void __noreturn run(int out, char **argv, char **envp)
{
	int null = open("/dev/null", O_RDONLY);
	struct rlimit core = { 0, RLIM_INFINITY };

	setsid();
	dup2(null, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	close_range(3, ~0U, 0);
	setrlimit(RLIMIT_CORE, &core);
	execve(argv[0], argv, envp);
	dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

/* Reaps whatever else falls to init meanwhile. */
static int wait_for(pid_t child)
{
	int status;
	pid_t pid;

	for (;;) {
		pid = wait(&status);
		if (pid == child)
			break;
		if (pid < 0 && errno != EINTR)
			fail("wait");
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) :
				   128 + WTERMSIG(status);
}

static void show(const char *path)
{
	char buf[4096];
	ssize_t n;
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		return;
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		if (write(STDOUT_FILENO, buf, n) < 0)
			break;
	close(fd);
}

/* Two scans: the first only notes what the second must still find. */
static void report_leaks(void)
{
	static const char leaks[] = "/sys/kernel/debug/kmemleak";

	if (access(leaks, F_OK))
		return;
	put(leaks, "scan");
	sleep(6);
	put(leaks, "scan");
	show(leaks);
}

/* How much KCSAN has watched. */
static void report_watched(void)
{
	show("/sys/kernel/debug/kcsan");
}

int main(void)
{
	char **argv, **envp;
	int out, status;
	pid_t child;

	umask(022);
	leave_rootfs();
	make_mounts();
	divide_cgroups();
	lo_up();
	if (sethostname("cloneat-vm", 10))
		complain("sethostname");
	argv = read_words("/cmdline");
	envp = read_words("/environ");
	out = open_output();

	child = fork();
	if (child < 0)
		fail("fork");
	if (!child)
		run(out, argv, envp);
	status = wait_for(child);

	tcdrain(out);
	report_leaks();
	report_watched();
	/* What the kernel says in the middle of a line spoils that one only. */
	for (int i = 0; i < 2; i++) {
		printf("\ncloneat-init: exit status %d\n", status);
		fflush(stdout);
		tcdrain(STDOUT_FILENO);
	}
	sync();
	reboot(RB_POWER_OFF);
	fail("power off");
}
