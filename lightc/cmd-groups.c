/* SPDX-License-Identifier: Apache-2.0 */
/* The groups: rows without a function of their own, for help and for the parser. */
#include "lightc/commands.h"

const struct command cmd_config = {
        .path = "config",
        .summary = "Change the configuration of instances and of the daemon",
        .example = "lightc config set c1 boot.autostart=true\nlightc config show c1 --expanded",
};

const struct command cmd_config_device = {
        .path = "config device",
        .summary = "Change the devices of an instance",
        .example = "lightc config device add c1 share disk source=/srv/data path=/data",
};

const struct command cmd_config_metadata = {
        .path = "config metadata",
        .summary = "Look at what an instance keeps of its image's metadata.yaml, or change it",
        .example = "lightc config metadata show c1",
};

const struct command cmd_config_template = {
        .path = "config template",
        .summary = "Change the templates of files that are written when an instance starts",
        .example = "lightc config template list c1\nlightc config template edit c1 hostname.tpl",
};

const struct command cmd_file = {
        .path = "file",
        .summary = "Move files between here and an instance",
        .example = "lightc file push site.conf c1/etc/nginx/\nlightc file pull c1/var/log/syslog -",
};

const struct command cmd_image = {
        .path = "image",
        .summary = "Manage the images instances are made from",
        .example = "lightc image list\nlightc image import rootfs.tar.xz --alias mine",
};

const struct command cmd_image_alias = {
        .path = "image alias",
        .summary = "Manage the names of images",
        .example = "lightc image alias create web 7e87a57d0c75",
};

const struct command cmd_network = {
        .path = "network",
        .summary = "Look at networks",
        .example = "lightc network list\nlightc network list-leases lightbr0",
};

const struct command cmd_operation = {
        .path = "operation",
        .summary = "Look at the daemon's work in progress, or cancel it",
        .example = "lightc operation list",
};

const struct command cmd_profile = {
        .path = "profile",
        .summary = "Look at profiles, configuration that instances share",
        .example = "lightc profile list\nlightc profile show default",
};

const struct command cmd_storage = {
        .path = "storage",
        .summary = "Look at storage pools",
        .example = "lightc storage list\nlightc storage info default",
};
