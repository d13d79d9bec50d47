/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * The only things that the engine takes from its surroundings. User space and
 * the kernel module each provide vexfs_alloc() and vexfs_free(); memcpy,
 * memmove, memset and memcmp may be emitted by the compiler.
 */
#ifndef VEXFS_ENGINE_PLATFORM_H
#define VEXFS_ENGINE_PLATFORM_H

#ifdef __KERNEL__
#include <linux/errno.h>
#include <linux/string.h>
#include <linux/types.h>
#else
#include <asm/errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;
void *memcpy(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);
#endif

/* Zeroed memory aligned to 64 bytes, or NULL. May sleep. */
void *vexfs_alloc(size_t bytes);
void vexfs_free(void *memory, size_t bytes);

/* Publication between one writer and many readers. */
#define vexfs_load_acquire(place) __atomic_load_n((place), __ATOMIC_ACQUIRE)
#define vexfs_store_release(place, value) \
	__atomic_store_n((place), (value), __ATOMIC_RELEASE)
#define vexfs_load_relaxed(place) __atomic_load_n((place), __ATOMIC_RELAXED)
#define vexfs_store_relaxed(place, value) \
	__atomic_store_n((place), (value), __ATOMIC_RELAXED)

#endif
