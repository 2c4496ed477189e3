/*
 * agent - process 1 of a lab guest: starts programs for the host and carries their output, over one virtio-serial port.
 *
 *   agent /dev/vport0p1
 *
 * A frame, both ways, little-endian: u32 bytes that follow, u32 id, u8 type, payload. The host chooses ids.
 *
 *   from the host                                            from the guest
 *   1 START   u8 hold, u16 argc, u16 envc, NUL-ended texts   1 STDOUT bytes          2 STDERR bytes
 *   2 SIGNAL  u8 number (to the process)                     3 EXIT   i32 status as wait() gives it
 *   3 READ    path                                           4 ERROR  i32 errno
 *   4 STAT    path                                           5 DATA   bytes of a file
 *   5 WRITE   path NUL bytes                                 6 DONE   u64 (READ: bytes, CLOCK: ns, else 0)
 *   6 CLOCK   (CLOCK_BOOTTIME)                               7 HELLO  u32 version, once
 *   7 ATTACH  (a held process now speaks)                    8 HELD   a held process has printed its first READY
 *   8 RELEASE (its pipes are closed)
 *
 * A held process was started before a snapshot: what it prints is kept here, at most HELD_MAX bytes, until the host that
 * restored the snapshot attaches. So tracing goes on in every restored guest without being attached again.
 * Whatever the host does not read waits in OUT_MAX bytes; beyond that no pipe is read, and the programs wait.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "wire.h"

enum { VERSION = 1, PROCESSES_MAX = 64, WORDS_MAX = 256 };

struct process {
	uint32_t id;
	pid_t pid;
	int pipes[2]; /* stdout and stderr, -1 when closed */
	int is_held, was_ready, has_exited, status;
	struct buffer kept[2];
};

static struct process processes[PROCESSES_MAX];

static struct process *find(uint32_t id)
{
	for (int at = 0; at < PROCESSES_MAX; at++)
		if (processes[at].pid && processes[at].id == id)
			return &processes[at];
	return NULL;
}

static void child(char **argv, char **envv, int pipes[2][2], int error_pipe)
{
	sigset_t none;
	int zero = open("/dev/null", O_RDONLY);

	setsid();
	dup2(zero, 0);
	dup2(pipes[0][1], 1);
	dup2(pipes[1][1], 2);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	for (; *envv; envv++)
		putenv(*envv);
	execvp(argv[0], argv);
	int number = errno;
	if (write(error_pipe, &number, sizeof number) < 0)
		_exit(126);
	_exit(127);
}

static void start(uint32_t id, char *payload, size_t size)
{
	char *words[WORDS_MAX + 2];
	uint16_t argc, envc;
	int pipes[2][2], error_pipe[2], number = 0, slot = 0, count = 0;

	if (size < 5 || payload[size - 1])
		return say_error(id, EINVAL);
	memcpy(&argc, payload + 1, 2);
	memcpy(&envc, payload + 3, 2);
	if (!argc || argc + envc > WORDS_MAX)
		return say_error(id, E2BIG);
	/* argv, its NULL, then the environment, its NULL */
	for (char *at = payload + 5; at < payload + size && count < argc + envc + 1; at += strlen(at) + 1) {
		if (count == argc)
			words[count++] = NULL;
		words[count++] = at;
	}
	if (count == argc)
		words[count++] = NULL;
	words[count] = NULL;
	if (count != argc + envc + 1)
		return say_error(id, EINVAL);
	while (slot < PROCESSES_MAX && processes[slot].pid)
		slot++;
	if (slot == PROCESSES_MAX)
		return say_error(id, EAGAIN);
	if (pipe2(pipes[0], O_CLOEXEC) || pipe2(pipes[1], O_CLOEXEC) || pipe2(error_pipe, O_CLOEXEC))
		return say_error(id, errno);
	pid_t pid = fork();
	if (pid == 0)
		child(words, words + argc + 1, pipes, error_pipe[1]);
	close(pipes[0][1]);
	close(pipes[1][1]);
	close(error_pipe[1]);
	if (pid > 0 && read(error_pipe[0], &number, sizeof number) != sizeof number)
		number = 0;
	else if (pid < 0)
		number = errno;
	close(error_pipe[0]);
	if (number) {
		close(pipes[0][0]);
		close(pipes[1][0]);
		if (pid > 0)
			waitpid(pid, NULL, 0);
		return say_error(id, number);
	}
	struct process *it = &processes[slot];
	memset(it, 0, sizeof *it);
	it->id = id;
	it->pid = pid;
	it->is_held = payload[0] != 0;
	it->pipes[0] = pipes[0][0];
	it->pipes[1] = pipes[1][0];
	fcntl(it->pipes[0], F_SETFL, O_NONBLOCK);
	fcntl(it->pipes[1], F_SETFL, O_NONBLOCK);
}

static void read_file(uint32_t id, const char *path)
{
	static char chunk[CHUNK];
	uint64_t total = 0;
	ssize_t n = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return say_error(id, errno);
	while ((n = read(fd, chunk, sizeof chunk)) > 0) {
		say(id, DATA, chunk, (size_t)n);
		total += (uint64_t)n;
		if (total > FILE_MAX) {
			close(fd);
			return say_error(id, EFBIG);
		}
		if (out.size - out_sent > OUT_MAX)
			flush_out(1);
	}
	int number = errno;
	close(fd);
	if (n < 0)
		say_error(id, number);
	else
		say_done(id, total);
}

static void write_file(uint32_t id, char *payload, size_t size)
{
	char *end = memchr(payload, 0, size);
	char *slash;

	if (!end)
		return say_error(id, EINVAL);
	if ((slash = strrchr(payload, '/')) && slash != payload) {
		*slash = 0;
		mkdir(payload, 0700);
		*slash = '/';
	}
	int fd = open(payload, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return say_error(id, errno);
	for (char *at = end + 1; at < payload + size;) {
		ssize_t n = write(fd, at, (size_t)(payload + size - at));

		if (n < 0) {
			say_error(id, errno);
			close(fd);
			unlink(payload); /* half a script must not be taken for the script */
			return;
		}
		at += n;
	}
	close(fd);
	say_done(id, 0);
}

static void attach(struct process *it)
{
	for (int which = 0; which < 2; which++) {
		if (it->kept[which].size)
			say(it->id, which ? STDERR : STDOUT, it->kept[which].bytes, it->kept[which].size);
		drop(&it->kept[which]);
	}
	it->is_held = 0;
}

static void release(struct process *it)
{
	for (int which = 0; which < 2; which++) {
		if (it->pipes[which] >= 0)
			close(it->pipes[which]);
		it->pipes[which] = -1;
	}
}

static void obey(uint32_t id, uint8_t type, char *payload, size_t size)
{
	struct process *it = find(id);
	struct timespec now;
	struct stat facts;

	switch (type) {
	case START:
		return start(id, payload, size);
	case SIGNAL:
		if (it && !it->has_exited && size == 1)
			kill(it->pid, (unsigned char)payload[0]);
		return;
	case READ:
		return read_file(id, payload);
	case STAT:
		return stat(payload, &facts) ? say_error(id, errno) : say_done(id, 0);
	case WRITE:
		return write_file(id, payload, size);
	case CLOCK:
		clock_gettime(CLOCK_BOOTTIME, &now);
		return say_done(id, (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec);
	case ATTACH:
		return it ? attach(it) : say_error(id, ESRCH);
	case RELEASE:
		if (it)
			release(it);
		return;
	default:
		return say_error(id, ENOSYS);
	}
}

/* Takes what the port has, and obeys every whole frame in it. */
static void take(void)
{
	static struct buffer in;
	static char chunk[CHUNK];
	ssize_t n = read(port, chunk, sizeof chunk);
	size_t at = 0;

	if (n <= 0)
		return;
	append(&in, chunk, (size_t)n);
	while (in.size - at >= 4) {
		uint32_t length, id;

		memcpy(&length, in.bytes + at, 4);
		if (length < 5 || length > FRAME_MAX)
			abort();
		if (in.size - at < 4 + (size_t)length)
			break;
		memcpy(&id, in.bytes + at + 4, 4);
		/* Paths end in NUL: the byte behind the payload is saved over. */
		size_t size = length - 5;
		char *payload = malloc(size + 1);
		if (!payload)
			abort();
		memcpy(payload, in.bytes + at + 9, size);
		payload[size] = 0;
		obey(id, (uint8_t)in.bytes[at + 8], payload, size);
		free(payload);
		at += 4 + (size_t)length;
	}
	memmove(in.bytes, in.bytes + at, in.size - at);
	in.size -= at;
}

static void carry(struct process *it, int which)
{
	static char chunk[CHUNK];
	ssize_t n = read(it->pipes[which], chunk, sizeof chunk);

	if (n > 0 && !it->is_held) {
		say(it->id, which ? STDERR : STDOUT, chunk, (size_t)n);
	} else if (n > 0) {
		append(&it->kept[which], chunk, (size_t)n);
		if (!which && !it->was_ready && memmem(it->kept[0].bytes, it->kept[0].size, "READY ", 6)) {
			it->was_ready = 1;
			say(it->id, HELD, NULL, 0);
		}
	} else if (n == 0 || errno != EAGAIN) {
		close(it->pipes[which]);
		it->pipes[which] = -1;
	}
}

/* A process has ended when it was waited for and its pipes are dry, or let go of. */
static void finish(struct process *it)
{
	int32_t status = it->status;

	if (!it->has_exited || it->pipes[0] >= 0 || it->pipes[1] >= 0)
		return;
	if (it->is_held)
		attach(it);
	say(it->id, EXIT, &status, sizeof status);
	it->pid = 0;
}

static void reap(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (int at = 0; at < PROCESSES_MAX; at++)
			if (processes[at].pid == pid) {
				processes[at].has_exited = 1;
				processes[at].status = status;
				/* What it wrote is in the pipes; a grandchild may hold them open, so they are read once more only. */
				for (int which = 0; which < 2; which++)
					while (processes[at].pipes[which] >= 0) {
						struct pollfd one = { processes[at].pipes[which], POLLIN, 0 };

						if (poll(&one, 1, 0) <= 0)
							break;
						carry(&processes[at], which);
					}
				release(&processes[at]);
			}
}

static void on_child(int number)
{
	(void)number;
}

int main(int argc, char **argv)
{
	uint32_t version = VERSION;
	struct sigaction action = { .sa_handler = on_child };

	if (argc != 2 || (port = open(argv[1], O_RDWR | O_NONBLOCK | O_CLOEXEC)) < 0) {
		fprintf(stderr, "agent: %s: %s\n", argc == 2 ? argv[1] : "usage: agent PORT", strerror(errno));
		return 1;
	}
	sigaction(SIGCHLD, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	say(0, HELLO, &version, sizeof version);
	for (;;) {
		struct pollfd polls[1 + 2 * PROCESSES_MAX];
		struct { struct process *it; int which; } owners[1 + 2 * PROCESSES_MAX];
		int count = 1;

		polls[0] = (struct pollfd){ port, (short)(POLLIN | (out.size > out_sent ? POLLOUT : 0)), 0 };
		for (int at = 0; at < PROCESSES_MAX; at++)
			for (int which = 0; which < 2; which++) {
				struct process *it = &processes[at];
				size_t waiting = it->is_held ? it->kept[which].size : out.size - out_sent;

				if (!it->pid || it->pipes[which] < 0 || waiting > (it->is_held ? HELD_MAX : OUT_MAX))
					continue;
				polls[count] = (struct pollfd){ it->pipes[which], POLLIN, 0 };
				owners[count].it = it;
				owners[count++].which = which;
			}
		if (poll(polls, (nfds_t)count, 200) < 0 && errno != EINTR)
			return 1;
		if (polls[0].revents & POLLIN)
			take();
		for (int at = 1; at < count; at++)
			if (polls[at].revents && owners[at].it->pipes[owners[at].which] >= 0)
				carry(owners[at].it, owners[at].which);
		reap();
		for (int at = 0; at < PROCESSES_MAX; at++)
			if (processes[at].pid)
				finish(&processes[at]);
		flush_out(0);
		/* Without a host the port is always ready and takes nothing: no busy loop. */
		if (polls[0].revents & POLLHUP)
			usleep(20000);
	}
}
