"""References that the methods may cite."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Reference:
    """A publication.

    Attributes
    ----------
    cited : str
        Authors and year, as in a text.
    author, title, journal : str
        ``journal`` is where it appeared, with volume and pages.
    year : int
    doi : str
        Empty if there is none.
    url : str
    """

    cited: str
    author: str
    title: str
    journal: str
    year: int
    doi: str = ""
    url: str = ""

    def bibtex(self, key: str) -> str:
        """Write it as an entry of BibTeX."""
        fields = {
            "author": self.author,
            # Braces keep the capitals of names.
            "title": f"{{{self.title}}}",
            "journal": self.journal,
            "year": self.year,
            "doi": self.doi,
            "url": self.url,
        }
        lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
        return "\n".join([f"@article{{{key},", *lines, "}"])


REFERENCES = {
    "gijsen2026": Reference(
        "Gijsen et al. 2026",
        "Gijsen, Sam and Schulz, Marc-Andre and Ritter, Kerstin",
        "Brain-Semantoks: Learning Semantic Tokens of Brain Dynamics with a Self-Distilled "
        "Foundation Model",
        "ICLR; arXiv:2512.11582",
        2026,
        url="https://arxiv.org/abs/2512.11582",
    ),
    "molder2021": Reference(
        "Mölder et al. 2021",
        "Mölder, Felix and others",
        "Sustainable data analysis with Snakemake",
        "F1000Research 10:33",
        2021,
        "10.12688/f1000research.29032.2",
    ),
    "gorgolewski2016": Reference(
        "Gorgolewski et al. 2016",
        "Gorgolewski, Krzysztof J. and others",
        "The brain imaging data structure, a format for organizing and describing outputs of "
        "neuroimaging experiments",
        "Scientific Data 3:160044",
        2016,
        "10.1038/sdata.2016.44",
    ),
    "esteban2019": Reference(
        "Esteban et al. 2019",
        "Esteban, Oscar and others",
        "fMRIPrep: a robust preprocessing pipeline for functional MRI",
        "Nature Methods 16:111-116",
        2019,
        "10.1038/s41592-018-0235-4",
    ),
    "avants2011": Reference(
        "Avants et al. 2011",
        "Avants, Brian B. and others",
        "A reproducible evaluation of ANTs similarity metric performance in brain image "
        "registration",
        "NeuroImage 54(3):2033-2044",
        2011,
        "10.1016/j.neuroimage.2010.09.025",
    ),
    "fonov2011": Reference(
        "Fonov et al. 2011",
        "Fonov, Vladimir and others",
        "Unbiased average age-appropriate atlases for pediatric studies",
        "NeuroImage 54(1):313-327",
        2011,
        "10.1016/j.neuroimage.2010.07.033",
    ),
    "wang2024": Reference(
        "Wang et al. 2024",
        "Wang, Hao-Ting and others",
        "Continuous evaluation of denoising strategies in resting-state fMRI connectivity using "
        "fMRIPrep and Nilearn",
        "PLOS Computational Biology 20(3):e1011942",
        2024,
        "10.1371/journal.pcbi.1011942",
    ),
    "satterthwaite2013": Reference(
        "Satterthwaite et al. 2013",
        "Satterthwaite, Theodore D. and others",
        "An improved framework for confound regression and filtering for control of motion "
        "artifact in the preprocessing of resting-state functional connectivity data",
        "NeuroImage 64:240-256",
        2013,
        "10.1016/j.neuroimage.2012.08.052",
    ),
    "power2012": Reference(
        "Power et al. 2012",
        "Power, Jonathan D. and others",
        "Spurious but systematic correlations in functional connectivity MRI networks arise from "
        "subject motion",
        "NeuroImage 59(3):2142-2154",
        2012,
        "10.1016/j.neuroimage.2011.10.018",
    ),
    "seitzman2020": Reference(
        "Seitzman et al. 2020",
        "Seitzman, Benjamin A. and others",
        "A set of functionally-defined brain regions with improved representation of the "
        "subcortex and cerebellum",
        "NeuroImage 206:116290",
        2020,
        "10.1016/j.neuroimage.2019.116290",
    ),
    "schaefer2018": Reference(
        "Schaefer et al. 2018",
        "Schaefer, Alexander and others",
        "Local-global parcellation of the human cerebral cortex from intrinsic functional "
        "connectivity MRI",
        "Cerebral Cortex 28(9):3095-3114",
        2018,
        "10.1093/cercor/bhx179",
    ),
    "tian2020": Reference(
        "Tian et al. 2020",
        "Tian, Ye and Margulies, Daniel S. and Breakspear, Michael and Zalesky, Andrew",
        "Topographic organization of the human subcortex unveiled with functional connectivity "
        "gradients",
        "Nature Neuroscience 23:1421-1432",
        2020,
        "10.1038/s41593-020-00711-6",
    ),
    "buckner2011": Reference(
        "Buckner et al. 2011",
        "Buckner, Randy L. and others",
        "The organization of the human cerebellum estimated by intrinsic functional connectivity",
        "Journal of Neurophysiology 106(5):2322-2345",
        2011,
        "10.1152/jn.00339.2011",
    ),
    "craddock2012": Reference(
        "Craddock et al. 2012",
        "Craddock, R. Cameron and others",
        "A whole brain fMRI atlas generated via spatially constrained spectral clustering",
        "Human Brain Mapping 33(8):1914-1928",
        2012,
        "10.1002/hbm.21333",
    ),
    "varoquaux2010": Reference(
        "Varoquaux et al. 2010",
        "Varoquaux, Gaël and others",
        "Detection of brain functional-connectivity difference in post-stroke patients using "
        "group-level covariance modeling",
        "MICCAI, LNCS 6361:200-208",
        2010,
        "10.1007/978-3-642-15705-9_25",
    ),
    "pedregosa2011": Reference(
        "Pedregosa et al. 2011",
        "Pedregosa, Fabian and others",
        "Scikit-learn: machine learning in Python",
        "Journal of Machine Learning Research 12:2825-2830",
        2011,
    ),
    "paszke2019": Reference(
        "Paszke et al. 2019",
        "Paszke, Adam and others",
        "PyTorch: an imperative style, high-performance deep learning library",
        "NeurIPS 32",
        2019,
        url="https://arxiv.org/abs/1912.01703",
    ),
    "nadeau2003": Reference(
        "Nadeau and Bengio 2003",
        "Nadeau, Claude and Bengio, Yoshua",
        "Inference for the generalization error",
        "Machine Learning 52:239-281",
        2003,
        "10.1023/A:1024068626366",
    ),
    "johnson2007": Reference(
        "Johnson et al. 2007",
        "Johnson, W. Evan and Li, Cheng and Rabinovic, Ariel",
        "Adjusting batch effects in microarray expression data using empirical Bayes methods",
        "Biostatistics",
        2007,
        "10.1093/biostatistics/kxj037",
    ),
    "holm1979": Reference(
        "Holm 1979",
        "Holm, Sture",
        "A simple sequentially rejective multiple test procedure",
        "Scandinavian Journal of Statistics 6(2):65-70",
        1979,
    ),
}


def bibliography(keys: Iterable[str]) -> str:
    """Write entries of BibTeX, each once."""
    return "\n\n".join(REFERENCES[key].bibtex(key) for key in dict.fromkeys(keys))
