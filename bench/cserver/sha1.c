/* SHA-1 (FIPS 180-4) and base64 (RFC 4648), for the key of a WebSocket handshake alone. */
#include "server.h"

#include <stdint.h>
#include <string.h>

static uint32_t rotate(uint32_t x, int n)
{
	return x << n | x >> (32 - n);
}

static void block(uint32_t h[5], const unsigned char *p)
{
	uint32_t w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4], f, k, t;
	int i;

	for (i = 0; i < 16; i++)
		w[i] = (uint32_t)p[4 * i] << 24 | p[4 * i + 1] << 16 | p[4 * i + 2] << 8 | p[4 * i + 3];
	for (; i < 80; i++)
		w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
	for (i = 0; i < 80; i++) {
		if (i < 20)
			f = (b & c) | (~b & d), k = 0x5a827999;
		else if (i < 40)
			f = b ^ c ^ d, k = 0x6ed9eba1;
		else if (i < 60)
			f = (b & c) | (b & d) | (c & d), k = 0x8f1bbcdc;
		else
			f = b ^ c ^ d, k = 0xca62c1d6;
		t = rotate(a, 5) + f + e + k + w[i];
		e = d, d = c, c = rotate(b, 30), b = a, a = t;
	}
	h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e;
}

static void sha1(const char *data, size_t len, unsigned char out[20])
{
	uint32_t h[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
	unsigned char last[128] = {0};
	size_t whole = len / 64 * 64, rest = len - whole, room = rest < 56 ? 64 : 128, i;

	for (i = 0; i < whole; i += 64)
		block(h, (const unsigned char *)data + i);
	memcpy(last, data + whole, rest);
	last[rest] = 0x80;
	for (i = 0; i < 8; i++)
		last[room - 1 - i] = (uint64_t)len * 8 >> 8 * i;
	for (i = 0; i < room; i += 64)
		block(h, last + i);
	for (i = 0; i < 20; i++)
		out[i] = h[i / 4] >> (24 - 8 * (i % 4));
}

void accept_value(const char *key, size_t len, char out[29])
{
	static const char id[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char text[128];
	unsigned char sum[21] = {0}; /* one more, which makes it seven groups of three */
	int i;

	len = len < 64 ? len : 64;
	memcpy(text, key, len);
	memcpy(text + len, id, sizeof id - 1);
	sha1(text, len + sizeof id - 1, sum);
	for (i = 0; i < 7; i++) {
		uint32_t v = (uint32_t)sum[3 * i] << 16 | sum[3 * i + 1] << 8 | sum[3 * i + 2];
		out[4 * i] = digit[v >> 18];
		out[4 * i + 1] = digit[v >> 12 & 63];
		out[4 * i + 2] = digit[v >> 6 & 63];
		out[4 * i + 3] = digit[v & 63];
	}
	out[27] = '=';
	out[28] = 0;
}
