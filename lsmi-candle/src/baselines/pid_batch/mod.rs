//! PID-Batch: redundancy, uniqueness and synergy of a whole data set from a coupling that networks learn batch by batch.
//!
//! The estimator that LSMI was published against (Liang et al., "Quantifying & Modeling Multimodal Interactions: An Information
//! Decomposition Framework", `NeurIPS` 2023, section 3.2), as its authors released it, for comparison. It gives the four
//! means and nothing about a single sample. The steps:
//!
//! 1. Discriminators give `p(y|x1)`, `p(y|x2)` and `p(y|x1, x2)` ([`Params`] has their sizes).
//! 2. Alignment networks embed every sample once for each class; products of embeddings make a kernel over pairs of a batch.
//! 3. Sinkhorn's iteration scales the kernel of every class towards the posteriors of both modalities; the result is a coupling
//!    `q(x1, x2, y)`, and `I_q(X2; Y | X1)` under it is the loss, which the alignment networks are trained to lower. The gradient
//!    goes through all iterations.
//! 4. The information under the coupling, `I_q`, is the part of `I(X1, X2; Y)` that the modalities have without their
//!    combination: `S = I_12 - I_q`, `U1 = I_q - I_2`, `U2 = I_q - I_1`, `R = I_1 + I_2 - I_q`.
//!
//! Networks are trained on the training rows. The numbers are averages over the whole batches of the evaluation rows, in their
//! order; give held-out rows, as the authors do with their test split. Without evaluation rows, the training rows take
//! their place, and networks that have memorised them report too much.
//!
//! # What it can and cannot say
//! `I_m` is the mean divergence of the posterior from the class frequencies: it looks at no label, so an over-confident
//! discriminator earns information that is not there. LSMI's terms look at the label. [`PidBatch::losses`] shows what the
//! discriminators are worth.
//!
//! # Deviations from the released code
//! - Sinkhorn's iteration keeps the vectors that scale the kernel rather than scaled matrices, and its gradient is written
//!   out: the same numbers to rounding, in memory of `K (n^2 + 4 n T)` for K classes, batches of n and T iterations.
//! - Posteriors are log-softmax in double precision, so that no logarithm of 0 arises; means are sums in double precision.
//! - Posteriors below 1e-30 count as 0 in the coupling.
//! - Random numbers are streams of the seed, not PyTorch's; the distributions are the same.
//! - Results are in nats. The authors' notebook divides by `log 2` and takes means below 0 for 0 ([`Params::clamp`]); it also
//!   trains the alignment for 8 epochs where the released function does for 10.
//! - Logits that come with the samples take the place of discriminators, as the released function allows.
//! - Fewer rows than a batch are refused, and so is a class without training rows.
//!
//! Networks are trained on the given device; the loss of a batch is always computed on the host.

mod alignment;
mod discriminators;
mod estimate;
mod loss;
mod network;
mod params;
mod real;
mod side;
mod sinkhorn;
#[cfg(test)]
mod tests;

use candle_core::Device;
use crossbeam_channel::Sender;
use lsmi_core::ClassPrior;
use rayon::prelude::*;

pub use self::estimate::{Information, PidBatch, SinkhornRuns};
pub use self::params::Params;

use self::alignment::Alignment;
use self::discriminators::{Discriminator, Posteriors};
use self::loss::{Batch, differentiate};
use self::network::Batches;
use self::side::Side;
use crate::error::{EstimatorError, Result};
use crate::estimator::{Progress, Reporter, check_samples, thread_pool};
use crate::features::FeatureSet;

/// Networks to train: the discriminators, and the alignment.
const MODELS: usize = 4;

/// Decomposes the information of two modalities about a label by PID-Batch.
///
/// `classes` is the number of classes that the labels index. Networks are trained on `train`; the numbers are those of `eval`,
/// or of `train` where there is none. Features are taken as they are, as published. One seed gives the same result whatever
/// [`Params::threads`] is. Steps are sent to `progress` if given, and dropped where the channel is full.
///
/// # Errors
/// [`EstimatorError`] for samples that do not fit together, settings out of range, fewer rows than a batch, a class without
/// training rows, numbers that leave the range of f32, a device that fails.
///
/// ```no_run
/// use candle_core::Device;
/// use lsmi_candle::features::{Keys, read_with_keys};
/// use lsmi_candle::baselines::pid_batch::{Params, decompose};
///
/// let file = read_with_keys("features.npz".as_ref(), &Keys::default())?;
/// let (train, test) = (file.split("train").ok_or("no split `train`")?, file.split("test"));
/// let found = decompose(train, test, file.classes.len(), &Params::published(), &Device::Cpu, 0, None)?;
/// println!("R {:.3}, S {:.3} nats", found.means.r, found.means.s);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn decompose(
    train: &FeatureSet,
    eval: Option<&FeatureSet>,
    classes: usize,
    params: &Params,
    device: &Device,
    seed: u64,
    progress: Option<&Sender<Progress>>,
) -> Result<PidBatch> {
    params.check()?;
    let log_prior = log_frequencies(train, classes, params)?;
    if let Some(eval) = eval {
        check_evaluation(train, eval, classes, params)?;
    }
    let train = Side::new(train, device)?;
    let eval = eval.map(|eval| Side::new(eval, device)).transpose()?;
    let reporter = Reporter::new(progress, MODELS);
    thread_pool(params.threads)?.install(|| {
        let report = |what: String, loss: f64| reporter.step(what, loss);
        let fitted: Vec<(Discriminator, Posteriors)> = (0..3)
            .into_par_iter()
            .with_max_len(1)
            .map(|which| {
                let discriminator = Discriminator::fit(which, &train, classes, params, seed, &report)?;
                let posteriors = discriminator.posteriors(which, &train, classes, params.batch)?;
                reporter
                    .finished(discriminators::NAMES[which].to_owned(), posteriors.log_loss(&train.samples.labels))?;
                Ok((discriminator, posteriors))
            })
            .collect::<Result<_>>()?;
        let (discriminators, posteriors): (Vec<_>, Vec<_>) = fitted.into_iter().unzip();
        let alignment = train_alignment(&train, &posteriors, classes, params, seed, &reporter)?;
        let (side, posteriors) = match &eval {
            None => (&train, posteriors),
            Some(eval) => {
                let eval_posteriors = discriminators
                    .iter()
                    .enumerate()
                    .map(|(which, discriminator)| discriminator.posteriors(which, eval, classes, params.batch));
                (eval, eval_posteriors.collect::<Result<_>>()?)
            }
        };
        estimate::estimate(&alignment, side, &posteriors, &log_prior, params)
    })
}

/// Returns the loss of a batch, `I_q(X2; Y | X1)` in nats, and its gradients in embeddings of networks outside this
/// crate.
///
/// Embeddings of x1 and x2 are `[n, classes, width]`, at mean 0 and variance 1 over their width; posteriors `p(y|x1)` and
/// `p(y|x2)` are `[classes, n]`; all row-major. Classes are shared out to the threads of the current rayon pool.
///
/// # Errors
/// [`EstimatorError::Samples`] for arrays whose lengths do not fit, [`EstimatorError::Setting`] for settings out of range.
///
/// ```
/// use lsmi_candle::baselines::pid_batch::{Params, coupling_loss};
///
/// let params = Params { embedding: 2, ..Params::published() };
/// // Two samples and two classes; the embeddings of all are alike, and so are those of x2.
/// let embeddings = [1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0, -1.0];
/// let posteriors = [0.5; 4];
/// let (loss, gradients) = coupling_loss([&embeddings; 2], [&posteriors; 2], 2, &params)?;
/// assert!(loss.abs() < 1e-6 && gradients[0].len() == 8);
/// # Ok::<(), lsmi_candle::EstimatorError>(())
/// ```
pub fn coupling_loss(
    embeddings: [&[f32]; 2],
    posteriors: [&[f32]; 2],
    n: usize,
    params: &Params,
) -> Result<(f64, [Vec<f32>; 2])> {
    params.check()?;
    let count = posteriors[0].len();
    if n == 0 || count == 0 || !count.is_multiple_of(n) || posteriors[1].len() != count {
        return Err(EstimatorError::Samples {
            what: "the number of posteriors",
            found: format!("{count} of x1 and {} of x2", posteriors[1].len()),
            expected: format!("a multiple of n = {n}, the same of both"),
        });
    }
    if embeddings.iter().any(|values| values.len() != count * params.embedding) {
        return Err(EstimatorError::Samples {
            what: "the number of values of embeddings",
            found: format!("{} of x1 and {} of x2", embeddings[0].len(), embeddings[1].len()),
            expected: format!("{} for each posterior: {}", params.embedding, count * params.embedding),
        });
    }
    let batch = Batch { n, width: params.embedding, embeddings, posteriors };
    let (outcome, gradients) = differentiate(&batch, params.rule());
    Ok((outcome.loss, gradients))
}

/// Trains the alignment networks on the training rows.
fn train_alignment<'a>(
    train: &Side<'_>,
    posteriors: &[Posteriors],
    classes: usize,
    params: &'a Params,
    seed: u64,
    reporter: &Reporter<'_>,
) -> Result<Alignment<'a>> {
    let columns = [train.samples.x1.columns(), train.samples.x2.columns()];
    let mut alignment = Alignment::new(columns, classes, params, seed, train.inputs[0].device())?;
    let mut batches = Batches::new(train.samples.rows(), params.batch, seed, "alignment batches");
    let mut loss = f64::NAN;
    for epoch in 1..=params.alignment_epochs {
        for rows in batches.shuffled() {
            let (x1_posteriors, x2_posteriors) = (posteriors[0].by_class(rows), posteriors[1].by_class(rows));
            loss = alignment.step(train, rows, [&x1_posteriors, &x2_posteriors])?.loss;
        }
        reporter.step(format!("alignment: epoch {epoch} of {}", params.alignment_epochs), loss)?;
    }
    reporter.finished("alignment".to_owned(), loss)?;
    Ok(alignment)
}

/// Returns `log p(y)` of the training rows, which are checked.
fn log_frequencies(train: &FeatureSet, classes: usize, params: &Params) -> Result<Vec<f64>> {
    check_samples(train, classes)?;
    check_rows("the number of training rows", train, params)?;
    if classes < 2 {
        return Err(EstimatorError::OneClass { class: "0".to_owned() });
    }
    Ok(ClassPrior::empirical(&train.labels, classes)?.log_probabilities().to_vec())
}

fn check_evaluation(train: &FeatureSet, eval: &FeatureSet, classes: usize, params: &Params) -> Result<()> {
    check_samples(eval, classes)?;
    check_rows("the number of evaluation rows", eval, params)?;
    for (modality, of_train, eval_posteriors) in [("x1", &train.x1, &eval.x1), ("x2", &train.x2, &eval.x2)] {
        if of_train.columns() != eval_posteriors.columns() {
            let (expected, found) = (of_train.columns(), eval_posteriors.columns());
            return Err(EstimatorError::Dimensions { modality, expected, found });
        }
    }
    Ok(())
}

fn check_rows(what: &'static str, samples: &FeatureSet, params: &Params) -> Result<()> {
    if samples.rows() < params.batch {
        let expected = format!("at least one batch, {}: use more rows or a smaller batch", params.batch);
        return Err(EstimatorError::Samples { what, found: samples.rows().to_string(), expected });
    }
    Ok(())
}
