/**
 * Sets what Ink and its libraries read from the environment when they are loaded (chalk/supports-color #105, is-in-ci,
 * react-devtools). To be called before anything that imports Ink is.
 */
export function prepareEnvironment(colour: boolean, env: NodeJS.ProcessEnv = process.env): void {
  delete env.DEV;
  // Both set, Node warns on stderr, in the middle of the screen.
  delete env.NO_COLOR;
  env.FORCE_COLOR = colour ? "1" : "0";
  // With CI set, even to nothing, Ink writes only its last frame; whoever mounts it has decided that somebody watches.
  env.CI = "false";
}
