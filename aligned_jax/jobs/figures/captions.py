"""What every figure of the paper is about, in our words, and what would speak against it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Caption:
    """One figure in words.

    Attributes:
      title: a heading.
      shows: what there is to see.
      right: what one sees if the paper is right.
      wrong: what one would see if it were wrong.
    """

    title: str
    shows: str
    right: str
    wrong: str


_RESETS = (
    "Columns: the parent, the child, and the child with one component's weights taken back from "
    "the parent, its others kept."
)
_FALLS_BACK = (
    "The column of the convolutions falls back to the parent's kind; in all other columns the "
    "child stays what it is, with other colours at most."
)
_RESETS_WRONG = (
    "Another component, such as the mapping network, would bring the parent back as well as the "
    "convolutions do, or none would."
)
_ACTS_ALIKE = "Every row changes in the same way and at the same place, each in its own domain."
_CONTROL_DIFFERS = (
    "The children's rows would be like the control's: a change of something else, or of nothing."
)

CAPTIONS = {
    1: Caption("Which component carries the distant child", _RESETS, _FALLS_BACK, _RESETS_WRONG),
    2: Caption(
        "One latent and one edit, the whole family",
        "Rows are networks. For each latent: as it is drawn, and after one and the same edit, "
        "which was found in the parent.",
        _ACTS_ALIKE,
        _CONTROL_DIFFERS,
    ),
    3: Caption(
        "One style channel in parent and child",
        "A single number of the style vector moved to either side, in the parent and, as far, in "
        "the distant child.",
        "The channel changes one thing in the parent, and its counterpart in the child.",
        "In the child the same channel would change another place, or nothing.",
    ),
    4: Caption(
        "A child leaves its parent",
        "The same latents over the snapshots of a fine-tuning; the first column is the parent.",
        "The look changes within the first snapshots; pose and proportions stay, column by column.",
        "Pictures would pass through noise and settle on other latents' subjects.",
    ),
    5: Caption(
        "Translation from domain to domain",
        "Pictures of the parent's domain, their inversions, and the child's pictures of the same "
        "latents in Z.",
        "Each translation is a clean picture of the new domain that keeps pose and proportions of "
        "its own source.",
        "Translations would be no closer to their own source than to any other.",
    ),
    6: Caption(
        "Translation that follows a reference",
        "Coarse styles come from the source, fine ones from a reference of the new domain.",
        "Shape and pose are the source's, colours and texture the reference's.",
        "The reference would change the shape, or not show at all.",
    ),
    7: Caption(
        "Labels for a domain that nobody labelled",
        "Pictures of the child's domain in the order of what the parent's domain knows: most "
        "positive, undecided, most negative.",
        "Rows differ in what is named, and the labels hold against the truth well above chance "
        "and the control.",
        "Rows would look alike, and accuracy would be that of the control.",
    ),
    8: Caption("Which component carries the near child", _RESETS, _FALLS_BACK, _RESETS_WRONG),
    9: Caption(
        "A second style channel, over all children",
        "Another single channel, moved in all networks alike.",
        _ACTS_ALIKE,
        _CONTROL_DIFFERS,
    ),
    10: Caption(
        "A direction that labels found, in the children",
        "A linear direction in the parent's latents, applied as it is to the children.",
        _ACTS_ALIKE,
        _CONTROL_DIFFERS,
    ),
    11: Caption(
        "A second direction, in the children",
        "Another direction of the parent, applied as it is to the children.",
        _ACTS_ALIKE,
        _CONTROL_DIFFERS,
    ),
    12: Caption(
        "A third direction, in the children",
        "One more direction of the parent, such as pose, applied as it is to the children.",
        _ACTS_ALIKE,
        _CONTROL_DIFFERS,
    ),
    13: Caption(
        "The first steps away from the parent",
        "Other latents over the earliest snapshots of a fine-tuning.",
        "Most of the way is gone in the first snapshots; later ones refine.",
        "Pictures would drift evenly over the whole run.",
    ),
    14: Caption(
        "By way of another domain and back",
        "The same latents drawn by the parent, its distant child, and a grandchild that learned "
        "the parent's domain again.",
        "The grandchild's pictures share pose, shape and colours with the parent's of the same "
        "latent, although their common way led through another domain.",
        "The grandchild's pictures would have nothing to do with the parent's.",
    ),
    15: Caption(
        "Do channels stay at their place, or follow the content?",
        "Children of the parent's own pictures after a move: shifted right, shifted down, upside "
        "down. One channel of the parent moved in all of them.",
        "Shifted data shift what a channel changes; turned upside down, channels hold on to their "
        "place in the picture and change another part instead.",
        "Channels would follow the content everywhere, upside down as well.",
    ),
    16: Caption(
        "Encoders of every space, distant child",
        "Pictures, their latents as encoders for Z, Z+, W and W+ find them, and the child's "
        "pictures of these latents.",
        "W+ inverts best, Z and W translate best.",
        "The better the inversion, the better would the translation be.",
    ),
    17: Caption(
        "Optimised latents of every space, distant child",
        "The same by optimisation.",
        "W and W+ invert best, and give the child colours that are not its domain's; what was "
        "found in Z translates cleanly.",
        "All spaces would translate alike.",
    ),
    18: Caption(
        "Encoders of every space, near child",
        "As figure 16, for the nearest child.",
        "In a near domain W keeps the likeness, and spaces differ less.",
        "Spaces would differ as much as for the distant child.",
    ),
    19: Caption(
        "Optimised latents of every space, near child",
        "As figure 17, for the nearest child.",
        "Z gives the most typical picture of the new domain; W and W+ keep more of the picture, "
        "with blemishes.",
        "All spaces would give the same picture.",
    ),
    20: Caption(
        "Toonification",
        "Pictures inverted in Z and drawn by the near child, with noise drawn anew.",
        "Every picture becomes one of the new style and stays recognisable.",
        "Pictures would be clean and of anybody, or alike and broken.",
    ),
    21: Caption(
        "Translated pictures, edited",
        "Pictures of the parent's domain translated, then edited in the child by a direction of "
        "the parent.",
        "The edit does to the translation what its name says.",
        "The edit would do something else, or break the picture.",
    ),
    22: Caption(
        "From the reference to the plain translation, layer by layer",
        "From left to right more and more of the source's style layers; the others are the "
        "reference's.",
        "Shape comes with the first layers and colours with the last; somewhere early both look "
        "right.",
        "The picture would jump from one to the other at a single layer.",
    ),
    23: Caption(
        "Several references for several sources",
        "Every source in the style of every reference.",
        "Rows keep their shapes, references their colours.",
        "Shapes would change with the reference, or colours would not.",
    ),
    24: Caption(
        "Latents and weights at once: to the distant child",
        "From top to bottom the weights go from parent to child, from left to right the latents.",
        "Every place of the plane is a clean picture, and neighbours are alike.",
        "Half way pictures would be double exposures or blots.",
    ),
    25: Caption(
        "Latents and weights at once: to the near child",
        "The same plane for the nearest child.",
        "Every place of the plane is a clean picture, and neighbours are alike.",
        "Half way pictures would be double exposures or blots.",
    ),
    26: Caption(
        "Latents and weights at once: between siblings",
        "The same plane between two children, neither of which is the other's parent.",
        "Siblings can be blended as parent and child can.",
        "Half way pictures would be double exposures or blots.",
    ),
    27: Caption(
        "A film from one kind to the other",
        "The diagonal of the plane as a film.",
        "The film has no jumps and no flicker.",
        "It would cut from one picture to the other at some frame.",
    ),
    28: Caption(
        "Not known to this project",
        "The caption of figure 28 was not at hand when this gallery was written.",
        "",
        "",
    ),
    29: Caption(
        "Values for a domain that nobody labelled",
        "Pictures of the child's domain in bins of a value, such as yaw, that the parent's "
        "domain knows.",
        "The value rises from left to right, and a mirrored picture has the opposite sign.",
        "Bins would look alike, and mirrored pictures would keep their sign.",
    ),
    30: Caption(
        "A parent carried to another resolution",
        "Half the resolution by the parent's own weights: before any training, and after.",
        "Before training pictures are pale but the right ones; after it, every latent has the "
        "picture it had.",
        "Pictures would be those of other latents.",
    ),
    31: Caption(
        "Weights blended",
        "From left to right, all weights on the straight line from parent to child.",
        "Every blend draws clean pictures of something between.",
        "Blends would be grey or broken.",
    ),
    32: Caption(
        "Layers swapped",
        "Coarse layers, up to so many pixels, of the parent; the finer ones of the child.",
        "Coarse layers carry the shape, fine ones colours and texture.",
        "The picture would be broken, or change all at once.",
    ),
    33: Caption(
        "Not known to this project",
        "The caption of figure 33 was not at hand when this gallery was written.",
        "",
        "",
    ),
    34: Caption(
        "By way of one domain to a third",
        "The same latents drawn by the parent, its distant child, a grandchild of a third domain, "
        "and the control.",
        "Pose and proportions survive two changes of domain; in the control nothing does.",
        "The grandchild would be as strange to the parent as the control is.",
    ),
    35: Caption(
        "A channel that sleeps in the child and wakes in the grandchild",
        "One style channel of the parent, moved in the parent, its distant child, and the "
        "grandchild that learned the parent's domain again.",
        "What does little in the child does in the grandchild what it did in the parent: its "
        "meaning was hidden, not forgotten.",
        "In the grandchild the channel would do what it does in its own parent, or nothing.",
    ),
    36: Caption(
        "The same channel in a third domain",
        "One style channel of the parent, moved in the parent, its distant child, and a "
        "grandchild of a third domain.",
        "The channel changes a counterpart in both.",
        "It would change anything or nothing.",
    ),
    37: Caption(
        "One input, several outputs",
        "Edge maps inverted in the child that draws them; the parent draws their coarse styles "
        "with fine ones drawn at random.",
        "Shapes are those of the edges, colours differ from column to column.",
        "Shapes would change with the colours, or colours would not.",
    ),
}
