/* SPDX-License-Identifier: Apache-2.0 */
#include "lightd/notify.h"
#include "base/fd.h"

#include <sys/socket.h>
#include <sys/un.h>

static void notify(const char *text)
{
        const char *path = getenv("NOTIFY_SOCKET");
        struct sockaddr_un addr = { .sun_family = AF_UNIX };
        if (str_empty(path) || strlen(path) >= sizeof addr.sun_path)
                return;
        memcpy(addr.sun_path, path, strlen(path));
        if (path[0] == '@')
                addr.sun_path[0] = '\0';
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
        if (fd >= 0)
                sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&addr, len);
}

void notify_ready(void)
{
        notify("READY=1");
}

void notify_stopping(void)
{
        notify("STOPPING=1");
}
