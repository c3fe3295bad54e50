/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One change of the image files at a time: between "this image is new" and "it is stored", or between "it is
 * gone" and "its files are gone", nobody else gives or takes names in the directory. The bytes are in place
 * long before, so a turn is a rename and a commit.
 */
#pragma once

#include "server/server.h"

struct turn {
        struct list node;
        void (*fn)(void *data);
        void *data;
};

/* fn runs when it is its turn, at once or later, and whoever took the turn ends it. t stays the caller's. */
void turn_take(struct turn *t, void (*fn)(void *data), void *data);
void turn_end(struct turn *t);
