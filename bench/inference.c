/* The yardstick for the integer engine: a plain int8 network in C.

     inference 300 16 4      layers' sizes; then, for each number N on stdin,
                             N inferences and their nanoseconds on stdout

   int8 weights and values, int32 sums, a shift and a clamp to 0..127 between
   layers, the index of the greatest sum at the end. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define MOST 1024

static int8_t values[2][MOST];
static int32_t sums[MOST];

__attribute__((noinline)) static void dense(const int8_t *x, int n, const int8_t *w,
                                            const int32_t *bias, int m) {
    for (int j = 0; j < m; j++) {
        int32_t s = bias[j];
        for (int i = 0; i < n; i++)
            s += x[i] * w[i];
        w += n;
        sums[j] = s;
    }
}

static int infer(int layers, const int *sizes, int8_t *const *w, int32_t *const *bias) {
    for (int k = 0; k < layers; k++) {
        dense(values[k & 1], sizes[k], w[k], bias[k], sizes[k + 1]);
        if (k == layers - 1)
            break;
        for (int j = 0; j < sizes[k + 1]; j++) {
            int32_t v = sums[j] >> 8;
            values[~k & 1][j] = v < 0 ? 0 : v > 127 ? 127 : v;
        }
    }
    int best = 0;
    for (int j = 1; j < sizes[layers]; j++)
        if (sums[j] > sums[best])
            best = j;
    return best;
}

int main(int argc, char **argv) {
    int sizes[9], layers = argc - 2;
    int8_t *w[8];
    int32_t *bias[8];
    if (layers < 1 || layers > 8)
        return 2;
    for (int k = 0; k <= layers; k++) {
        sizes[k] = atoi(argv[k + 1]);
        if (sizes[k] < 1 || sizes[k] > MOST)
            return 2;
    }
    int8_t input[MOST];
    for (int i = 0; i < MOST; i++)
        input[i] = rand();
    for (int k = 0; k < layers; k++) {
        int count = sizes[k] * sizes[k + 1];
        w[k] = malloc(count);
        bias[k] = malloc(sizes[k + 1] * sizeof(int32_t));
        for (int i = 0; i < count; i++)
            w[k][i] = rand();
        for (int j = 0; j < sizes[k + 1]; j++)
            bias[k][j] = rand() % 1000;
    }
    long count;
    volatile int sink = 0;
    while (scanf("%ld", &count) == 1) {
        struct timespec a, b;
        clock_gettime(CLOCK_MONOTONIC, &a);
        for (long i = 0; i < count; i++) {
            for (int k = 0; k < sizes[0]; k++) /* the window's values, anew */
                values[0][k] = input[k];
            sink += infer(layers, sizes, w, bias);
        }
        clock_gettime(CLOCK_MONOTONIC, &b);
        printf("%lld\n", (b.tv_sec - a.tv_sec) * 1000000000LL + (b.tv_nsec - a.tv_nsec));
        fflush(stdout);
    }
    return 0;
}
