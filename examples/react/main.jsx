import { StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { useModel, usePredictions } from './useModel.js';

const PICTURES = ['0171', '0196', '0180', '0243', '0605'].map((name) => `/pictures/validation/${name}/0.jpg`);

function App() {
  const { model, progress, error } = useModel('/models/mobilenet_v3_small.safetensors');
  const [picture, setPicture] = useState(PICTURES[0]);
  const predictions = usePredictions(model, picture);
  return (
    <main>
      <h1>What is in the picture?</h1>
      <div className="pictures">
        {PICTURES.map((src) => (
          <button key={src} type="button" aria-pressed={src === picture} onClick={() => setPicture(src)}>
            <img src={src} alt="One to choose" />
          </button>
        ))}
      </div>
      {error && <p role="alert">{error.message}</p>}
      {!model && !error && <progress value={progress} aria-label="Loading the network" />}
      <section aria-live="polite">
        {predictions.map(({ index, label, probability }) => (
          <div className="bar" key={index}>
            <span>{label}</span>
            <meter value={probability} />
            <span>{(probability * 100).toFixed(1)} %</span>
          </div>
        ))}
      </section>
    </main>
  );
}

createRoot(document.querySelector('#root')).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
