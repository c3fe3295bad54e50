/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the three processes of a start say to each other over SEQPACKET socket pairs: the monitor gives
 * orders, the builder and the coming init report. None outlives init's exec, which closes the socket by
 * close-on-exec.
 */
#pragma once

#include "base/error.h"
#include <sys/types.h>

enum report_kind {
        REPORT_CLONED = 1, /* builder: init exists; pid, fd: pidfd */
        REPORT_CONSOLE,    /* init: fd: the console's master */
        REPORT_READY,      /* init: exec is next */
        REPORT_ERROR,
        ORDER_MAPPED,  /* monitor: the user namespace has its ids */
        ORDER_NETWORK, /* monitor: the interfaces are there */
        ORDER_ROOTFS,  /* builder to init: the root file system waits on the stage */
};

struct report {
        enum report_kind kind;
        pid_t pid;
        int fd; /* owned; -EBADF: none */
};

int report_pair(int ret_socks[static 2]);
int report_send(int sock, enum report_kind kind, pid_t pid, int fd); /* fd is borrowed */
void report_error(int sock, int r, const struct error *err);
/* 1 and a report; 0 at the end of the stream; -errno. For REPORT_ERROR err is set and its errno returned. */
int report_receive(int sock, struct report *ret, struct error *err);
/* Blocks until that order came: 0, or -ECANCELED when the other side is gone. */
int report_await(int sock, enum report_kind order);
