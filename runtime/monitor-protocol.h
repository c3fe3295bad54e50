/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the daemon and a container's monitor say to each other over run_dir/monitor.sock (SOCK_SEQPACKET, mode
 * 0600, peers of uid 0 only). Pure: bytes in, bytes out; who sends them is monitor.c on one side, the daemon
 * on the other.
 *
 * One packet is a 12-byte header in the machine's byte order and a JSON object; descriptors ride as
 * SCM_RIGHTS. A reply has the request's id and type with is_reply set; its body is the result, or
 * {"error":{"reason","message"}}.
 *
 *   HELLO    {}                             ->
 * {"version":1,"versions":[1],"name","project","num","pid","started_at"} fd: pidfd of init STATUS   {} ->
 * {"pid","console_attached":bool,"ring_bytes":N} SIGNAL   {"signal":15}                  -> {} CONSOLE
 * {"command":"attach","width":80,"height":24,"force":false}
 *                                           -> {"ring_bytes":N} fd: a stream socket; its first N bytes are
 * the ring's
 *            {"command":"resize","width","height"}, {"command":"detach"}, {"command":"clear"}  -> {}
 *            {"command":"log"}              -> {"ring_bytes":N} fd: a sealed memfd with the ring
 *   HOTPLUG  …                              -> an error: not supported by this release
 *   EXIT     pushed, id 0                      {"status":N,"signal":N,"reboot":bool,"at":"<RFC 3339>"}
 *   QUIT     {}                             -> {} init is killed; EXIT follows
 *
 * A new field is ignored by an old side; a changed meaning needs a new version. The daemon speaks the
 * versions of two releases back; a monitor only its own.
 */
#pragma once

#include "base/error.h"
#include "base/json.h"
#include "base/strbuf.h"

/* In the run directory. */
#define MONITOR_SOCKET "monitor.sock"
#define MONITOR_EXIT_FILE "exit.json"

#define MONITOR_PROTOCOL_VERSION 1
#define MONITOR_MESSAGE_MAX 65536
#define MONITOR_RING_BYTES 65536

enum monitor_type {
        MONITOR_HELLO = 1,
        MONITOR_STATUS,
        MONITOR_SIGNAL,
        MONITOR_CONSOLE,
        MONITOR_HOTPLUG,
        MONITOR_EXIT,
        MONITOR_QUIT,
        _MONITOR_TYPE_MAX,
};

struct monitor_message {
        enum monitor_type type;
        bool is_reply;
        uint32_t id;
        struct json_object *body; /* owned; never NULL after decoding */
};

#define _cleanup_monitor_message_ _cleanup_(monitor_message_done)
void monitor_message_done(struct monitor_message *m);

/* Appends the packet. 0, or -EMSGSIZE for a body that makes it larger than MONITOR_MESSAGE_MAX. */
int monitor_message_encode(const struct monitor_message *m, struct strbuf *out);
/* One whole packet. -EPROTO with a sentence: a wrong length, version, type or body. */
int monitor_message_decode(const void *data, size_t n, struct monitor_message *ret, struct error *err);
const char *monitor_type_name(enum monitor_type type);

/* How a container ended: what exit.json and EXIT say. */
struct monitor_exit {
        int status; /* exit code of init, 0 when a signal ended it */
        int signal; /* the signal, 0 when it exited by itself */
        bool is_reboot;
        int64_t at_ns;
};
struct json_object *
monitor_exit_to_json(const struct monitor_exit *e); /* with "version":1; the caller puts it */
int monitor_exit_from_json(struct json_object *o, struct monitor_exit *ret);
