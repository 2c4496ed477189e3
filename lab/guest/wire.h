/*
 * wire.h - the agent's side of the port: buffers, and frames that wait until the host takes them.
 */
#ifndef WIRE_H
#define WIRE_H

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* FILE_MAX is what the host takes of one file (targetFileBytesMax); a device may have no end. */
enum { FILE_MAX = 32 << 20 };
enum { FRAME_MAX = 16 << 20, HELD_MAX = 4 << 20, OUT_MAX = 4 << 20, CHUNK = 64 << 10 };
/* From the host, and from the guest; agent.c says what each carries. */
enum { START = 1, SIGNAL, READ, STAT, WRITE, CLOCK, ATTACH, RELEASE };
enum { STDOUT = 1, STDERR, EXIT, ERROR, DATA, DONE, HELLO, HELD };

struct buffer { char *bytes; size_t size, room; };

static int port;
static struct buffer out;
static size_t out_sent;

static void append(struct buffer *to, const void *bytes, size_t size)
{
	if (to->size + size > to->room) {
		size_t room = to->room ? to->room : CHUNK;

		while (room < to->size + size)
			room *= 2;
		to->bytes = realloc(to->bytes, room);
		if (!to->bytes)
			abort();
		to->room = room;
	}
	memcpy(to->bytes + to->size, bytes, size);
	to->size += size;
}

static void drop(struct buffer *buffer)
{
	free(buffer->bytes);
	memset(buffer, 0, sizeof *buffer);
}

static void say(uint32_t id, uint8_t type, const void *payload, size_t size)
{
	uint32_t head[2] = { (uint32_t)(size + 5), id };

	append(&out, head, sizeof head);
	append(&out, &type, 1);
	if (size)
		append(&out, payload, size);
}

static void say_error(uint32_t id, int number)
{
	int32_t code = number;

	say(id, ERROR, &code, sizeof code);
}

static void say_done(uint32_t id, uint64_t value)
{
	say(id, DONE, &value, sizeof value);
}

/* Writes what the port takes; `wait`: until everything is gone. */
static void flush_out(int wait)
{
	while (out_sent < out.size) {
		ssize_t n = write(port, out.bytes + out_sent, out.size - out_sent);

		if (n > 0) {
			out_sent += (size_t)n;
		} else if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
			struct pollfd ready = { port, POLLOUT, 0 };

			if (!wait)
				return;
			poll(&ready, 1, 1000);
		} else {
			return;
		}
	}
	out.size = out_sent = 0;
}

#endif
