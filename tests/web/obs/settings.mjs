// What OBS Studio 29 keeps in ~/.config/obs-studio. What is not written here is OBS's own default.

/** No wizard, no questions, no news (LastVersion is 29.0.2); our profile and our scenes. */
export const global = `[General]
FirstRun=true
LastVersion=486539266
InfoIncrement=10000
EnableAutoUpdates=false
[Basic]
Profile=Lookback
ProfileDir=Lookback
SceneCollection=Lookback
SceneCollectionFile=Lookback
[BasicWindow]
WarnBeforeStartingStream=false
WarnBeforeStoppingStream=false
`;

/** A small picture, as it is drawn and encoded in software; x264, AAC and the GOP length as OBS has them. */
export function profile({ start_key, stop_key }) {
  const hotkey = (name, key) => `OBSBasic.${name}=${JSON.stringify({ bindings: [{ key: `OBS_KEY_${key}` }] })}\n`;
  return `[General]
Name=Lookback
[Output]
Mode=Simple
Reconnect=false
[SimpleOutput]
VBitrate=800
ABitrate=128
StreamEncoder=x264
UseAdvanced=true
Preset=ultrafast
[Video]
BaseCX=640
BaseCY=360
OutputCX=640
OutputCY=360
FPSType=0
FPSCommon=30
[Audio]
SampleRate=48000
ChannelSetup=Stereo
[Hotkeys]
${hotkey('StartStreaming', start_key)}${hotkey('StopStreaming', stop_key)}`;
}

/** Settings, Stream, Custom: `server` is "rtmp://HOST/live", `key` the name; or "srt://HOST?streamid=...", and no key. */
export function service(server, key) {
  return JSON.stringify({ type: 'rtmp_custom', settings: { server, key, use_auth: false } });
}

/** One scene, filled by one media source that plays a file over and over. */
export function collection(file) {
  const item = {
    name: 'Clip', id: 1, visible: true, pos: { x: 0, y: 0 }, scale: { x: 1, y: 1 }, rot: 0, align: 5,
    bounds_type: 2, bounds_align: 0, bounds: { x: 640, y: 360 },
  };
  const clip = { local_file: file, is_local_file: true, looping: true, hw_decode: false };
  return JSON.stringify({
    name: 'Lookback',
    current_scene: 'Scene',
    current_program_scene: 'Scene',
    scene_order: [{ name: 'Scene' }],
    sources: [
      { id: 'ffmpeg_source', versioned_id: 'ffmpeg_source', name: 'Clip', mixers: 255, volume: 1, enabled: true, settings: clip },
      { id: 'scene', versioned_id: 'scene', name: 'Scene', settings: { id_counter: 1, items: [item] } },
    ],
    groups: [],
    transitions: [],
  });
}
