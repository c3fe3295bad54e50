/* SPDX-License-Identifier: Apache-2.0 */
/* What no file says: a link's driver is asked by ethtool's ioctl, NVIDIA's libraries by NVIDIA's program. */
#include "runtime/resources.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MODE_WORDS 16    /* 512 bits: what there may be; today's kernels have four */
#define NVIDIA_WAIT_MS 5000

static int ask(int fd, const char *name, void *command)
{
        struct ifreq ifr = { .ifr_data = command };
        if (snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "%s", name) >= (int)sizeof ifr.ifr_name)
                return -EINVAL;
        return ioctl(fd, SIOCETHTOOL, &ifr) < 0 ? -errno : 0;
}

static const char *port_type(unsigned port)
{
        switch (port) {
        case PORT_TP: return "twisted pair";
        case PORT_AUI: return "AUI";
        case PORT_MII: return "media-independent";
        case PORT_FIBRE: return "fibre";
        case PORT_BNC: return "BNC";
        case PORT_DA: return "direct attach";
        case PORT_NONE: return "none";
        case PORT_OTHER: return "other";
        default: return "";
        }
}

static bool has_bit(const uint32_t *words, unsigned n_bits, unsigned bit)
{
        return bit < n_bits && words[bit / 32] & 1u << bit % 32;
}

static struct json_object *supported_ports(const uint32_t *words, unsigned n_bits)
{
        static const struct {
                unsigned bit;
                const char *name;
        } ports[] = {
                { ETHTOOL_LINK_MODE_TP_BIT, "twisted pair" }, { ETHTOOL_LINK_MODE_AUI_BIT, "AUI" },
                { ETHTOOL_LINK_MODE_MII_BIT, "media-independent" }, { ETHTOOL_LINK_MODE_FIBRE_BIT, "fibre" },
                { ETHTOOL_LINK_MODE_BNC_BIT, "BNC" }, { ETHTOOL_LINK_MODE_Backplane_BIT, "backplane" },
        };
        struct json_object *list = json_object_new_array();
        for (size_t i = 0; i < ARRAY_SIZE(ports); i++)
                if (has_bit(words, n_bits, ports[i].bit))
                        json_array_add_string(list, ports[i].name);
        return list;
}

/* The kernel has a name for each mode it knows, also for those that came after this was written: "1000baseT/Full". */
static struct json_object *supported_modes(int fd, const char *name, const uint32_t *words, unsigned n_bits)
{
        struct json_object *list = json_object_new_array();
        struct {
                struct ethtool_sset_info head;
                uint32_t length;
        } set = { .head = { .cmd = ETHTOOL_GSSET_INFO, .sset_mask = 1ull << ETH_SS_LINK_MODES } };
        if (ask(fd, name, &set) < 0 || !set.head.sset_mask || set.length > MODE_WORDS * 32)
                return list;
        size_t size = sizeof(struct ethtool_gstrings) + (size_t)set.length * ETH_GSTRING_LEN;
        _cleanup_free_ struct ethtool_gstrings *strings = xcalloc(1, size);
        strings->cmd = ETHTOOL_GSTRINGS;
        strings->string_set = ETH_SS_LINK_MODES;
        strings->len = set.length;
        if (ask(fd, name, strings) < 0)
                return list;
        for (unsigned i = 0; i < strings->len && i < set.length; i++) {
                char text[ETH_GSTRING_LEN + 1] = "";
                memcpy(text, strings->data + (size_t)i * ETH_GSTRING_LEN, ETH_GSTRING_LEN);
                if (has_bit(words, n_bits, i) && strstr(text, "base") && strchr(text, '/'))
                        json_array_add_string(list, text);
        }
        return list;
}

/* The first question is how many words the masks have; the second brings them. */
static int ask_settings(int fd, const char *name, struct resource_link *ret)
{
        struct {
                struct ethtool_link_settings head;
                uint32_t masks[3 * MODE_WORDS];
        } s = { .head = { .cmd = ETHTOOL_GLINKSETTINGS } };
        int r = ask(fd, name, &s);
        int words = -s.head.link_mode_masks_nwords;
        if (r < 0 || words <= 0 || words > MODE_WORDS)
                return r < 0 ? r : -EPROTO;
        s.head.cmd = ETHTOOL_GLINKSETTINGS;
        s.head.link_mode_masks_nwords = (int8_t)words;
        r = ask(fd, name, &s);
        if (r < 0)
                return r;
        ret->has_settings = true;
        ret->is_auto_negotiated = s.head.autoneg == AUTONEG_ENABLE;
        ret->speed = s.head.speed == (uint32_t)SPEED_UNKNOWN || s.head.speed > INT32_MAX ? 0 : s.head.speed;
        ret->duplex = s.head.duplex == DUPLEX_FULL ? "full" : s.head.duplex == DUPLEX_HALF ? "half" : "";
        ret->port_type = port_type(s.head.port);
        ret->transceiver_type = s.head.transceiver == XCVR_INTERNAL   ? "internal"
                                : s.head.transceiver == XCVR_EXTERNAL ? "external"
                                                                      : "";
        ret->ports = supported_ports(s.masks, (unsigned)words * 32);
        ret->modes = supported_modes(fd, name, s.masks, (unsigned)words * 32);
        return 0;
}

int resource_ask_link(const char *name, struct resource_link *ret)
{
        _cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
        *ret = (struct resource_link){ 0 };
        if (fd < 0)
                return -errno;
        int driver = ask(fd, name, &info), settings = ask_settings(fd, name, ret);
        if (driver == 0 && memcmp(info.fw_version, "N/A", 4) != 0)
                snprintf(ret->firmware_version, sizeof ret->firmware_version, "%.*s", (int)sizeof info.fw_version,
                         info.fw_version);
        return driver < 0 ? settings : 0;
}

/* ---- NVIDIA's program ---- */

static int64_t now_ms(void)
{
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* What comes through the pipe until its end; a program that takes too long is given up. */
static bool read_answer(int fd, struct strbuf *b)
{
        int64_t end = now_ms() + NVIDIA_WAIT_MS;
        char chunk[4096];
        for (;;) {
                struct pollfd p = { .fd = fd, .events = POLLIN };
                int64_t left = end - now_ms();
                if (left <= 0 || poll(&p, 1, (int)left) <= 0)
                        return false;
                ssize_t n = read(fd, chunk, sizeof chunk);
                if (n <= 0)
                        return n == 0;
                if (b->len + (size_t)n > KiB(64))
                        return false;
                strbuf_add(b, chunk, (size_t)n);
        }
}

struct json_object *resource_ask_nvidia(void)
{
        static const char *const argv[] = { "nvidia-container-cli", "info", "--csv", NULL };
        _cleanup_free_ char *path = NULL;
        _cleanup_close_ int in = -EBADF, out = -EBADF, child = -EBADF;
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        int pipe_fds[2], status = -1;
        pid_t pid;
        if (process_find_tool(argv[0], &path) < 0 || pipe2(pipe_fds, O_CLOEXEC) < 0)
                return NULL;
        in = pipe_fds[0];
        out = pipe_fds[1];
        struct process_spec spec = { .path = path, .argv = argv, .fds = { -EBADF, out, -EBADF }, .n_fds = 3, .cgroup_fd = -EBADF };
        if (process_spawn(&spec, &pid, &child) < 0)
                return NULL;
        out = (close(out), -EBADF);
        if (!read_answer(in, &b))
                process_signal(child, SIGKILL);
        process_wait(child, &status);
        return status == 0 ? resources_nvidia_parse(strbuf_str(&b)) : NULL;
}
