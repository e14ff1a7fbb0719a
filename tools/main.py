"""The `aligned` command: which verbs there are, and where each lives."""

import sys

from aligned_jax.cli.console import Program, Verb

_TOOLS = {
    "demo": "the main job on the networks of the zoo, ending in a web page",
    "zoo": "list what comes with the package, as a page with pictures on request",
    "convert": "read an official file into a checkpoint folder",
    "export": "write a network as safetensors with the official names",
    "publish": "put a network on the Hugging Face Hub, with a card and pictures",
    "data": "draw avatars, import images, look at a dataset",
    "features": "add or list the networks that scores are computed with",
    "info": "show sizes, options, parameters and origin of a network",
    "generate": "draw images from seeds or from a file of latents",
    "compare": "show where a child differs from its parent, as a web page",
    "reset": "give a child some of its parent's components back",
    "interpolate": "blend two networks, or draw a strip of blends",
    "swap": "coarse layers of one network, fine layers of another",
    "arithmetic": "add and subtract networks: parent + 0.7*(dog - parent)",
    "resize": "start a network at another resolution from trained weights",
    "family": "draw the same latents by several networks",
    "directions": "find what tells pictures apart in a network's latents",
    "alignment": "score how alike style channels act in a parent and its children",
    "channels": "find style channels: the strongest, those of a part or an attribute",
    "related": "tell which networks come from one another",
    "edit": "edit pictures of a parent and, in the same way, those of its children",
    "label": "teach a linear model a label by answers about seeds, on a page or in lists",
    "invert": "find the latents of images",
    "translate": "draw the latents of one network, or images, by an aligned one",
    "zero-shot": "label pictures of a child's domain by what its parent knows",
    "morph": "film or grid from one network's picture to another's",
    "walk": "film from seed to seed of one network",
    "mix": "draw pairs of seeds, some layers of one and the rest of the other",
    "evaluate": "score a network or images: FID, KID, precision, recall, PPL, ...",
    "nearest": "show generated pictures beside the training pictures nearest to them",
    "perceptual": "show how far apart pairs of images look (LPIPS)",
    "transition": "draw the same latents over the snapshots of a training run",
    "figures": "draw every figure of the paper, of the zoo or of your own networks",
    "view": "a live page: sliders for latents, edits and blends of a family",
}
_TRAINING = {
    "pretrain": "train a network from scratch",
    "finetune": "train an aligned child of a trained network",
    "encoder": "train an encoder, which finds a network's latents of images",
    "attributes": "train readers of what is in pictures, and read with them",
    "resume": "go on with a run, or lengthen it",
}
# Beside this package, wherever both are installed.
_TRAIN = __package__.removesuffix("tools") + "train"
ALIGNED = Program(
    "aligned",
    "Convert, look into, blend and render aligned StyleGAN2 networks.",
    "`aligned VERB --help` explains a verb and shows an example. A NETWORK is a\n"
    "checkpoint folder, a run folder or RUN@KIMG, an official .pkl, .pt or\n"
    ".safetensors file, hf://owner/name[/file][@revision] of the Hugging Face Hub,\n"
    "or zoo:NAME of those that come with the package:\n"
    "personas64 (people), its children critters64 (monsters), pixel-art64 and toon-head64,\n"
    "personas-again64, a child of critters64, and critters64-scratch, no child. NAME-e4e\n"
    "and NAME-z are encoders of the first two, personas64-directions directions of the\n"
    "first (`aligned directions show zoo:`). A READER of attributes is a file, or\n"
    "zoo:people-reader or zoo:monsters-reader; `aligned attributes show READER` says what\n"
    "it tells. Words are understood by zoo:avatars-clip.",
    {
        name: Verb(summary, f"{__package__}.{name.replace('-', '_')}")
        for name, summary in _TOOLS.items()
    }
    | {name: Verb(summary, f"{_TRAIN}.{name}") for name, summary in _TRAINING.items()},
)
VERBS, main, parse = ALIGNED.verbs, ALIGNED.main, ALIGNED.parse


if __name__ == "__main__":
    sys.exit(main())
