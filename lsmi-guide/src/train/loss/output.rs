//! Output distillation: the student's class probabilities are drawn to the teacher's (Hinton, Vinyals and Dean 2015).

use candle_core::{D, Tensor};

use super::{check_shape, log_softmax};
use crate::error::{GuideError, Result};

/// Computes `T^2 KL(p_T || q_T)` of each sample, in nats, where p and q are the softmax of the teacher's and the student's logits
/// divided by the temperature T.
///
/// The factor T^2 makes up for gradients that shrink with it, so that the loss weighs the same at any temperature (Hinton,
/// Vinyals and Dean, "Distilling the Knowledge in a Neural Network", 2015, section 2). No gradient reaches the teacher.
///
/// # Shapes
/// Both `[n, classes]`. Result: `[n]`.
///
/// # Errors
/// [`GuideError::Shape`] if the shapes differ, [`GuideError::Setting`] if the temperature is not above 0.
///
/// ```
/// use candle_core::{Device, Tensor};
/// use lsmi_guide::train::loss::output::divergence;
///
/// let teacher = Tensor::new(&[[0.0f32, 1.0]], &Device::Cpu)?;
/// assert_eq!(divergence(&teacher, &teacher, 4.0)?.to_vec1::<f32>()?, [0.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn divergence(student: &Tensor, teacher: &Tensor, temperature: f64) -> Result<Tensor> {
    check_temperature(temperature)?;
    check_shape("the teacher's logits", teacher, student)?;
    let teacher = log_softmax(&(teacher.detach() / temperature)?)?;
    let student = log_softmax(&(student / temperature)?)?;
    let divergence = (teacher.exp()? * (teacher - student)?)?.sum(D::Minus1)?;
    Ok((divergence * (temperature * temperature))?)
}

pub(crate) fn check_temperature(temperature: f64) -> Result<()> {
    if temperature > 0.0 && temperature.is_finite() {
        return Ok(());
    }
    let found = temperature.to_string();
    Err(GuideError::Setting { name: "distillation temperature", found, expected: "above 0".to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::loss::tests::{check_gradient, random};
    use crate::train::loss::weighted_mean;
    use candle_core::{Device, Var};

    #[test]
    fn the_divergence_of_two_classes_is_the_published_one() {
        let student = Tensor::new(&[[0.0f64, 0.0]], &Device::Cpu).unwrap();
        let teacher = Tensor::new(&[[0.0f64, 2.0 * 3f64.ln()]], &Device::Cpu).unwrap();
        // At T = 2 the teacher says (1/4, 3/4) and the student (1/2, 1/2).
        let expected = 4.0 * (0.25 * 0.5f64.ln() + 0.75 * 1.5f64.ln());
        let found = divergence(&student, &teacher, 2.0).unwrap().to_vec1::<f64>().unwrap()[0];
        assert!((found - expected).abs() < 1e-12, "{found} against {expected}");
    }

    #[test]
    fn gradients_match_differences_and_none_reaches_the_teacher() {
        let teacher = Var::from_tensor(&(random("teacher", 3, 4) * 3.0).unwrap()).unwrap();
        let loss = |logits: &Tensor| {
            weighted_mean(&divergence(logits, teacher.as_tensor(), 3.0).unwrap(), &[1.0, 0.5, 1.5]).unwrap()
        };
        check_gradient(&random("student", 3, 4), loss);
        let student = Var::from_tensor(&random("student", 3, 4)).unwrap();
        assert!(loss(student.as_tensor()).backward().unwrap().get(teacher.as_tensor()).is_none());
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let logits = |classes| random("logits", 2, classes);
        let error = divergence(&logits(3), &logits(4), 1.0).unwrap_err();
        assert!(matches!(error, GuideError::Shape { what: "the teacher's logits", .. }), "{error}");
        assert!(matches!(divergence(&logits(3), &logits(3), 0.0), Err(GuideError::Setting { .. })));
    }
}
