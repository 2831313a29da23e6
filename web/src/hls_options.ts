import type { HlsConfig, LoaderConfig, LoaderResponse, RetryConfig } from 'hls.js';

/** No answer at all (refused, reset, offline) reaches hls.js as status 0. */
const no_answer = 0;

/**
 * Whether a failed request is worth repeating. The server answers 503 while it starts or waits for a publisher, and a
 * restart refuses connections: both pass. hls.js itself gives up on "no answer" unless the browser says it is offline.
 * A 404 for something that a playlist named is tried a few times: a proxy may have kept an old answer.
 */
function worth_retrying(_: RetryConfig | null | undefined, count: number, timed_out: boolean, response?: LoaderResponse) {
  const status = response?.code ?? no_answer;
  if (timed_out || status === no_answer || status >= 500 || status === 429) return true;
  return status === 404 && count < 4;
}

/** Tries again for as long as the page is open: 0.25 s, 0.5 s, 1 s, then every 2 s. */
const patient: RetryConfig = {
  maxNumRetry: Number.MAX_SAFE_INTEGER,
  retryDelayMs: 250,
  maxRetryDelayMs: 2000,
  shouldRetry: worth_retrying,
};

/** A blocked playlist request is answered within three target durations (rfc8216bis 6.2.5.2): wait longer than that. */
function patiently(first_byte_ms: number, whole_ms: number): { default: LoaderConfig } {
  return {
    default: { maxTimeToFirstByteMs: first_byte_ms, maxLoadTimeMs: whole_ms, timeoutRetry: patient, errorRetry: patient },
  };
}

/**
 * hls.js for a low-latency live stream with a long DVR window.
 * - `liveDurationInfinity` makes `video.seekable` the replay window.
 * - No liveMaxLatency: a viewer who went back stays there. `live_edge.ts` decides who follows the edge, and does the
 *   fine control: hls.js' own needs more than a second in the buffer, which is more than our goal, and never comes back
 *   to the edge after stalls.
 * - The goal starts from hls.js' default, PART-HOLD-BACK behind the edge.
 * - The manifest is tried by `player.ts`, which shows what the answer means.
 */
export const hls_options: Partial<HlsConfig> = {
  lowLatencyMode: true,
  liveDurationInfinity: true,
  maxLiveSyncPlaybackRate: 1,
  liveSyncOnStallIncrease: 0,
  backBufferLength: 60,
  maxBufferLength: 30,
  playlistLoadPolicy: patiently(20_000, 30_000),
  fragLoadPolicy: patiently(10_000, 60_000),
  manifestLoadPolicy: {
    default: { maxTimeToFirstByteMs: 20_000, maxLoadTimeMs: 30_000, timeoutRetry: null, errorRetry: null },
  },
  enableInterstitialPlayback: false,
};
