"""Text of the page About."""

INTRODUCTION = """
segser shows which emotion a speech model hears in a recording, and when. It follows *Improved Spoken Emotion
Recognition With Combined Segment-Based Processing And Triplet Loss* by Dejan Porjazovski, Tamás Grósz and
Mikko Kurimo. It is made to study such models: what they hear, where they differ and where they fail.
"""

MISUSE = """
- **Not to decide anything about a person**: not in hiring, at work, in teaching, in care, in court, at a border or
  in an emergency call.
- **Not to learn how somebody feels.** The models were taught what actors show when asked to. What a voice shows
  and what a person feels are two things.
- **Not on people who do not know of it.** Tell everyone who can be heard, and ask them first.
"""

LAW = """
- **A ban, Art. 5(1)(f) of the AI Act (Regulation (EU) 2024/1689):** no system may infer the emotions of people at
  work or in education, save for medical or safety reasons. A class that studies segser is shown recordings of a
  corpus, never its own voices.
- **A duty to inform, Art. 50(3):** whoever puts an emotion recognition system to use must tell the people that
  are exposed to it. The box to tick before a voice is analysed stands for this; it does not replace telling them.
- **High risk, Annex III:** where emotion recognition is allowed at all, it counts among the uses of high risk,
  with the duties that follow.

This is a summary to start from, not legal advice.
"""

ETHICS = """
The paper's authors warn of this themselves. Emotion recognition can lead to violations of human rights. It is
dangerous to judge the state of a person by it: somebody in shock may not show what they feel. And people differ:
children with autism, for one, show emotions in other ways than most children do, and so, in some degree, does
everyone. Whatever good such a system may do, ask first who uses it, and on whom.
"""

METHOD_STEPS = """
1. **Encoder.** A Transformer that was trained on speech turns the sound into frames, one each 20 ms.
2. **Segments.** The frames are cut into overlapping windows. On RAVDESS a segment has 80 frames, which is 1.6 s,
   and a new one begins each 40 frames, 0.8 s. The last one ends with the recording.
3. **Head.** The mean of a segment's frames goes through one linear layer and a softmax: a probability for each
   emotion. The same layer judges the mean of the whole recording.
4. **Label.** The segment with the highest probability of all gives the recording its label. It is the one with the ★.
   For the baseline, it is the recording as a whole.

A segment of 100 frames is 2.0 s: the paper's "roughly 200 ms" is off by ten.
"""

TRAINING = """
Nobody labelled the segments. In the paper, each is given its recording's label in training. The bundled `seg+tri-w`
also met clips of one speaker joined at known times, where a segment is given the share of its time that each emotion
has. Besides, recordings of one emotion are drawn together and those of different emotions apart: that is the triplet
loss.

The paper compares itself with two systems of others, which know neither segments nor triplets. *Layer average*
(Pepino et al. 2021) leaves the encoder as it is and learns how much each of its layers counts. *P-TAPT* (Chen and
Rudnicky 2023) first tunes a network on the labels and sorts its frames into clusters; the encoder learns to tell the
clusters of frames that are hidden from it, and then the labels.
"""

EQUATIONS = (
    (
        r"\mathcal{L} = \mathcal{L}_{\mathrm{nll}} + \mathcal{L}_{\mathrm{tri}}",
        "The loss is that of the labels, a negative log-likelihood, and that of the triplets.",
    ),
    (
        r"\mathcal{L}_{\mathrm{tri}} = \max\bigl(d(X_a, X_p) - d(X_a, X_n) + \lambda,\; 0\bigr)",
        "$d$ is the Euclidean distance and the margin $\\lambda$ is 1. The anchor $X_a$ and the positive $X_p$ share "
        "an emotion; the negative $X_n$ has another one, and a duration near theirs.",
    ),
    (
        r"\mathcal{L}_{\mathrm{SER}} = \sum_i \Bigl[\, \sum_j \mathcal{L}_{\mathrm{nll}}(i, j)"
        r" + \mathcal{L}_{\mathrm{nll}}(i) \Bigr]",
        "Every segment $j$ of a recording $i$ counts, and the whole recording once more.",
    ),
    (
        r"\mathcal{L} = (1 - \alpha)\, \mathcal{L}_{\mathrm{nll}} + \alpha\, \mathcal{L}_{\mathrm{tri}}",
        "On RAVDESS the two parts are weighed: $\\alpha$ is 0.2 for segments with triplets of recordings.",
    ),
)

SCORES_NOTE = """
UAR is the mean of the classes' recalls, accuracy the share of all clips that are right, macro F1 the mean of the
classes' F1; all on the test clips of the three corpora together, in percent. Their 20 speakers were never heard in
training, and they say the same sentences. The cards give the scores by corpus, which lie far apart.
"""

LIMITATIONS = """
- **No segment's label was ever validated.** A segment that differs from its recording's label may be right or wrong:
  nobody listened and wrote down which.
- **Acted speech, 24 sentences.** All that the models know of emotion is 92 actors saying 14 English and ten German
  sentences on request. Everyday speech, other languages, other ages and most other rooms are new to them.
- **When is learned from joined clips.** `seg+tri-w` met changes of emotion only where two clips of one speaker meet,
  with or without a pause. How an emotion shades into another within a sentence, it never heard.
- **A segment is not local evidence.** The Transformer hears the whole recording before it is cut, so a segment
  *in context* may speak of its neighbours. *In isolation* it is heard alone, which is not how the models were trained.
- **Confidence grows with length.** The more segments there are, the higher the highest probability comes out, right or
  wrong. Do not compare it between a short and a long recording.
- **The baseline's segments are a probe.** It never met one in training.
"""

SOURCES = """
Whisper's encoder, on which the bundled models rest, is under the MIT licence. RAVDESS (Livingstone and Russo, 2018) is
under CC BY-NC-SA 4.0: the models made from it are for non-commercial use. CREMA-D (Cao et al., 2014) is under ODbL 1.0,
and EMO-DB (Burkhardt et al., 2005) under CC0.
"""
